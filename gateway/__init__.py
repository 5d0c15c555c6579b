"""The rim: sockets, sessions, sequencer, journal, REST, client library."""
