import { createRequire } from 'node:module';
import type ipaddrTypes from 'ipaddr.js';

/**
 * The library of addresses, required rather than imported: an import has Node search a CommonJS file for the names that it exports,
 * and in this file that takes longer than any other module of a knock takes to load.
 */
export const ipaddr = createRequire(import.meta.url)('ipaddr.js') as typeof ipaddrTypes;
