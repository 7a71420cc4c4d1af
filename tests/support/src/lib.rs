//! support: shared parts of the tests.
