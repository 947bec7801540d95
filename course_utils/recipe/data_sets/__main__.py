"""Write every data set: `python3 -m course_utils.recipe.data_sets`."""

from course_utils.recipe.data_sets import main

main()
