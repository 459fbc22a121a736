import { admissions } from '../../units/admission.ts';
import type { Scheme } from '../scheme.ts';
import { handshake } from './handshake.ts';
import { knockd } from './knockd.ts';

/** The rows of the table. */
export const schemes: readonly Scheme[] = [knockd, ...admissions.map(handshake)];
