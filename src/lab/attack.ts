import type { Capability } from './model.ts';
import type { Scene } from './scene.ts';

/** One way to attack. */
export interface Attack {
  readonly name: string;
  readonly needs: readonly Capability[];
  /** A sentence: what it means that it succeeded. */
  readonly success: string;
  /** Whether there is a way to try it here; always if not said. */
  readonly isPossible?: (scene: Scene) => boolean;
  /** Tries it once, with the client in the part that the attack has for it. */
  readonly attempt: (scene: Scene) => Promise<boolean>;
}
