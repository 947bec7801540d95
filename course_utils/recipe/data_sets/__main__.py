"""Write every data set: `python3 -m course_utils.recipe.data_sets`."""

import sys

from course_utils.recipe.data_sets import main

main(sys.argv[1:])
