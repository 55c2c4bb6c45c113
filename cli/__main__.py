"""`python -m cli` is `polysent`, where no console script is installed (a container)."""

from cli.main import main

main()
