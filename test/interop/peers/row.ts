import { netTestWith } from '../../support/capabilities.ts';

const programs = ['knockd', 'knock', 'fwknop', 'fwknopd', 'iptables', 'tcpdump', 'faketime'];

/** Declares the test of a row. One after the other: on a machine with much to do, a packet could need longer than visitors wait. */
export const row = netTestWith(...programs).serial;
