"""`python3 -m course_utils COMMAND`. The syntax stays old, so that an old Python can say what it lacks."""

import os
import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.stderr.write(
        "The course needs Python 3.11, 3.12 or 3.13 and this is Python %d.%d: "
        "install one of them and start again with it, for example `python3.12 -m course_utils lab`.\n"
        % tuple(sys.version_info[:2])
    )
    sys.exit(2)

if not __package__:  # started as a file: put the clone, not this folder, on the path
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from course_utils.commands.line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
