"""Adapters of `imaging.store.Store`: memory (tests), local disk, Aliyun OSS. Named by `app` alone."""
