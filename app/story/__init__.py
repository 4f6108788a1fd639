"""The life of one exam, played over real sockets against the simulators, with evidence for each step."""
