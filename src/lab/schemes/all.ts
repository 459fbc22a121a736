import { admissions } from '../../units/admission.ts';
import type { Scheme } from '../scheme.ts';
import { certificate, sknock } from './certificates.ts';
import { classic } from './classic.ts';
import { fwknop } from './fwknop.ts';
import { handshake } from './handshake.ts';
import { knockd } from './knockd.ts';
import { totp } from './totp.ts';

/** The rows of the table. */
export const schemes: readonly Scheme[] = [
  knockd,
  fwknop,
  classic('fixed'),
  classic('dynamic'),
  classic('encrypted'),
  classic('one-time'),
  totp,
  sknock,
  certificate,
  ...admissions.map(handshake),
];
