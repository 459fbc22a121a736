import { examine } from '../../src/certificate/examine.ts';
import { lobbyKeys } from '../../src/certificate/lobby.ts';
import { certificateProver } from '../../src/certificate/prover.ts';
import { CertificateResponder } from '../../src/certificate/responder.ts';
import { AgreementKey, pointOf, sign } from '../../src/crypto/p256.ts';
import { KnockLimits } from '../../src/guard/knock-limits.ts';
import { type InitiatorContext, start, step } from '../../src/handshake/initiator.ts';
import { CertificateVerifier } from '../../src/pki/verifier.ts';
import { createSystemEntropy } from '../../src/system/entropy.ts';
import { parseServiceName } from '../../src/units/names.ts';
import type { MonotonicMs } from '../../src/units/time.ts';
import { type CertificateWorld, client, NOW, unlimited } from './certificate-world.ts';

const entropy = createSystemEntropy();
const now = 600_000_000 as MonotonicMs;

/** A responder of the certificate challenge that does its public-key work itself, and the Responses that it takes. */
export class CertificateResponses {
  readonly #world: CertificateWorld;
  readonly #responder: CertificateResponder;
  readonly #parts: Parameters<typeof examine>[1];

  constructor(world: CertificateWorld) {
    const { ca, server } = world;
    const verifier = new CertificateVerifier({ ca });
    this.#world = world;
    this.#parts = {
      key: AgreementKey.from(server.privateKey),
      verify: (der) => verifier.verify(der, NOW),
    };
    this.#responder = new CertificateResponder({
      keys: lobbyKeys(pointOf(server.publicKey)),
      entropy,
      limits: new KnockLimits(unlimited, unlimited),
      replayCapacity: 1_000_000,
    });
  }

  /** Valid Responses to challenges of the responder, each another. */
  make(count: number): readonly Uint8Array[] {
    const contexts = contextsOf(this.#world);
    return Array.from({ length: count }, (_, at) => {
      const context = contexts[at % contexts.length];
      if (context === undefined) throw new RangeError('there are no clients');
      return this.#respond(context);
    });
  }

  /** The whole of a Response's way: its seal, its cookie, its public-key work, the record. */
  take(responses: readonly Uint8Array[]): void {
    for (const response of responses) {
      const received = this.#responder.receive(response, client, now);
      if (received.kind !== 'examine') throw new Error(received.kind);
      const verdict = examine(received.examination, this.#parts);
      const judged = this.#responder.judge(received.pending, verdict, now);
      if (judged.kind !== 'knock') throw new Error(judged.kind);
    }
  }

  #respond(context: InitiatorContext): Uint8Array {
    const first = start(context, now);
    const challenge = this.#responder.receive(first.send[0] ?? new Uint8Array(), client, now);
    if (challenge.kind !== 'reply') throw new Error(challenge.kind);
    const event = { kind: 'datagram', bytes: challenge.bytes } as const;
    const { state } = step(context, first.state, { event, now });
    return step(context, state, { event: { kind: 'proceed' }, now }).send[0] ?? new Uint8Array();
  }
}

function contextsOf({ clients, server }: CertificateWorld): readonly InitiatorContext[] {
  const responderPoint = pointOf(server.publicKey);
  const wish = { claimed: null, service: parseServiceName('ssh'), admission: null };
  const keys = lobbyKeys(responderPoint);
  return clients.map(({ certificate, privateKey }) => {
    const signer = (bytes: Uint8Array): Uint8Array => sign(privateKey, bytes);
    const prover = certificateProver({ certificate, responderPoint, sign: signer });
    return { keys, wish, entropy, prover };
  });
}
