import type { Endpoint } from '../units/network.ts';

/** Descriptors of bound UDP sockets, of which several threads can have one each for the same socket. */
export interface DatagramDescriptors {
  /**
   * @param scope the interface of an IPv6 link-local address, by its number; else 0
   * @throws {Error} with the system's `code`
   */
  open(endpoint: Endpoint, scope: number): number;
  /** Another descriptor for the same socket. @throws {Error} with the system's `code` */
  again(descriptor: number): number;
  close(descriptor: number): void;
}
