### What svod-hub says.
