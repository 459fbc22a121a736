import { admissions, goesBySource } from '../../units/admission.ts';
import type { Scheme } from '../scheme.ts';
import { certificate, sknock } from './certificates.ts';
import { classic } from './classic.ts';
import { fwknop } from './fwknop.ts';
import { handshake } from './handshake.ts';
import { knockd } from './knockd.ts';
import { silent } from './silent.ts';
import { spa } from './spa.ts';
import { totp } from './totp.ts';

/** What a client can make use of that nobody answers. */
const untold = admissions.filter(goesBySource);

/** The rows of the table. */
export const schemes: readonly Scheme[] = [
  knockd,
  fwknop,
  classic('fixed'),
  classic('dynamic'),
  classic('encrypted'),
  classic('one-time'),
  classic('fwknop-shared'),
  classic('fwknop-encrypted'),
  ...untold.map(totp),
  ...untold.map(sknock),
  ...[...untold, 'port' as const].map(spa),
  silent('service'),
  silent('gate'),
  ...admissions.map(certificate),
  ...admissions.map(handshake),
];
