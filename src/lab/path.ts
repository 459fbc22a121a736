// npm puts node_modules/.bin first in PATH, and packages bring programs there that are called like the system's: the
// system's come first in here, for the tests and for all that they start. Also, Debian keeps some in folders of root's.
process.env['PATH'] = `/usr/sbin:/usr/bin:/sbin:/bin:${process.env['PATH'] ?? ''}`;
