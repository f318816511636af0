# %% [markdown]
# # A chapter of two exercises
#
# It has every form of cell that a chapter may have, and needs nothing but Python: its `check` is its own.
#
# ![a line with a corner](corner.svg)

# %%
# ruff: noqa
import sys

from IPython.display import HTML, Image, display


def check(function, *, points=None, hidden=False):
    """Stand in for tutor's check: show a card, then raise, return points, or return nothing."""
    cases = [-2, 3, 0, -5] if hidden else [-2, 3]
    factor = {"relu": 1, "double": 2}[function.__name__]
    score = sum(function(x) == factor * max(x, 0) for x in cases) / len(cases)
    display(HTML(f"<b>{function.__name__}: {score:.0%}</b>"))
    if score == 0:
        raise AssertionError(f"{function.__name__} is not right yet")
    return None if score == 1 else round(points * score, 2)


# %% [markdown]
# ## Text, results and errors

# %%
print("one")
print("two")
3 * 7

# %% tags=["raises-exception"]
1 / 0

# %% [markdown]
# ## Pictures and live pages

# %%
RED_DOT = (
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
display(Image(data=bytes.fromhex(RED_DOT), format="png"))

# %% tags=["nbval-ignore-output"]
HTML(f'<iframe src="http://localhost:{id(sys) % 10000}"></iframe>')

# %% [markdown]
# ## Exercises


# %% nbgrader={"grade": false, "grade_id": "relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu(x):
    """Return x where it is positive, else 0."""
    ### BEGIN SOLUTION
    return max(x, 0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_relu", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(relu, points=2)
### BEGIN HIDDEN TESTS
check(relu, points=2, hidden=True)
### END HIDDEN TESTS


# %% nbgrader={"grade": false, "grade_id": "double", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double(x):
    """Return twice x where it is positive, else 0."""
    ### BEGIN SOLUTION
    twice = 2 * x
    return max(twice, 0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_double", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(double, points=3)
### BEGIN HIDDEN TESTS
check(double, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade": true, "grade_id": "why", "locked": false, "points": 1, "schema_version": 3, "solution": true, "task": false}
# Because a line with a corner is not a line.
