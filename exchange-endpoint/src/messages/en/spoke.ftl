### What svod-spoke says.
