"""benchmarks anyone can repeat: `./just bench NAME --quick`, one module each."""
