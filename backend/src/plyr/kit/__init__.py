"""Values and pure functions every other package may use: ids, record keys, clocks, cursors."""
