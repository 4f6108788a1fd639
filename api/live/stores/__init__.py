"""Where rooms are remembered: `memory` in one process, `redis` for several. Named by `app` alone."""
