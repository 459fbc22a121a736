// What has to be there before the demo or the benchmark runs; the test runner does the same itself.
import { installPrograms } from './programs.ts';

installPrograms();
