"""`python -m signaalwissel.console`: the same program, for processes that start each other."""

from signaalwissel.console.main import main

main()
