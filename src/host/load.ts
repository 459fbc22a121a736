/** How much there is to do. */
export interface Load {
  /** The part of the time since it was asked last in which there was work, from 0 to 1. */
  busy(): number;
}
