"""``python -m deepir`` is the command ``deepir``."""

from deepir.cli import main

if __name__ == "__main__":
    main()
