import type { KeyObject } from 'node:crypto';
import type { CertificateVerifier } from '../../src/pki/verifier.ts';
import { RequestOpener } from '../../src/sknock/ecies.ts';
import { examine } from '../../src/sknock/examine.ts';
import {
  type SknockArrival,
  type SknockDrop,
  type SknockKnock,
  SknockResponder,
  type SknockResponderOptions,
} from '../../src/sknock/responder.ts';

interface SknockServerOptions extends SknockResponderOptions {
  readonly privateKey: KeyObject;
  readonly certificates: CertificateVerifier;
}

/** What a server makes of a datagram, its public-key work done at once. */
export function sknockServer({ privateKey, ...options }: SknockServerOptions) {
  const responder = new SknockResponder(options);
  const opener = new RequestOpener(privateKey);
  return (datagram: Uint8Array, arrival: SknockArrival): SknockDrop | SknockKnock => {
    const judged = responder.receive(datagram, arrival);
    if (judged.kind === 'drop') return judged;
    const verify = (der: Uint8Array) => options.certificates.verify(der, arrival.unixMs);
    return responder.judge(examine(judged.examination, { opener, verify }), arrival);
  };
}
