"""The pack: one aligned ZIP of standard DICOM per series generation (docs/sealed-pack.md)."""
