# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 Pooling
#
# **What you will do.** Write max pooling and average pooling with every argument, the two gradients, the layer that
# puts maxima back where they were, and measure what pooling is famous for: that a small shift hardly matters.
#
# **What you will learn.** Why pooling pads with minus infinity in one case and with zeros in the other; by how many
# numbers an average is divided; why `ceil_mode` does not simply round up; where the gradient goes; and what is lost.
#
# **What you need.** Chapter 02 for the sliding window. About 120 minutes, and every section stands on its own: stop
# where you like and come back.
#
# How it works: write your answer in place of `raise NotImplementedError()`, run the cell, then run the cell with
# `check` under it. Stuck? `hint("max_pool2d")` gives three hints, one at a time.

# %%
import torch
import torch.nn.functional as F
from torch import nn

from tutor import board, check, data, explorers, hint, plots

# %% [markdown]
# ## Why pool
#
# A pooling layer **collects and summarises**, as a pool collects water: it looks through a window, as a convolution
# does, but it has no kernel. It answers with one number for everything in the window, the largest one (*max
# pooling*) or the mean (*average pooling*), and each channel is pooled by itself.
#
# **On paper.** A window of 2 by 2 that moves on by two pixels, so that four squares are looked at, each once:
#
# $$ \begin{pmatrix} 1 & 3 & 2 & 4 \\ 5 & 6 & 1 & 2 \\ 7 & 2 & 8 & 3 \\ 4 & 5 & 9 & 0 \end{pmatrix} $$
#
# **Your turn.** What does max pooling make of it, and what average pooling? Predict both.


# %% nbgrader={"grade": false, "grade_id": "predict_pooling", "locked": false, "schema_version": 3, "solution": true, "task": false}
def predict_pooling():
    """Return what max pooling and average pooling make of the four by four numbers above:
    two lists of two rows, ([[a, b], [c, d]], [[e, f], [g, h]]), the maxima first."""
    ### BEGIN SOLUTION
    return [[6.0, 4.0], [7.0, 9.0]], [[3.75, 2.25], [4.5, 5.0]]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_predict_pooling", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(predict_pooling, points=3)
### BEGIN HIDDEN TESTS
check(predict_pooling, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# The same by PyTorch. Each window and what comes out of it have the same frame; the numbers that max pooling has
# chosen are marked.

# %%
grid = torch.tensor([[1.0, 3, 2, 4], [5, 6, 1, 2], [7, 2, 8, 3], [4, 5, 9, 0]])
image = grid.view(1, 1, 4, 4)
print("max:    ", nn.MaxPool2d(kernel_size=2)(image)[0, 0].tolist())
print("average:", nn.AvgPool2d(kernel_size=2)(image)[0, 0].tolist())
plots.pooling(grid, 2)

# %%
plots.pooling(grid, 2, mode="average")

# %% [markdown]
# Max pooling keeps what stands out most: *somewhere in here* there was an edge. Average pooling smooths: it evens
# out noise and keeps how bright a place is on the whole, but of a single strong answer among zeros it leaves little.

# %%
torch.manual_seed(0)
noise = torch.randn(1, 1, 64, 64)
alone = torch.tensor([[[[0.0, 0.0], [8.0, 0.0]]]])
for name, layer in {"none": nn.Identity(), "max": nn.MaxPool2d(2), "average": nn.AvgPool2d(2)}.items():
    strongest = layer(alone).max().item()
    print(f"{name:8} noise of spread {layer(noise).std():.2f} around {layer(noise).mean():5.2f}, a peak of {strongest:g}")

# %% [markdown]
# From four by four numbers two by two are left, and that is what the layer is used for:
#
# - **Less work for what follows**: the next convolution has a quarter of the places to visit.
# - **Fewer weights, but only in linear layers**. Pooling has no weights itself, and a convolution after it has as
#   many as before. A linear layer after it has one for each number that is left.
# - **A larger receptive field**: one number now stands for a larger part of the picture, and so does every
#   convolution that follows.
# - **Some tolerance of small shifts**: how much, you will measure in *A small shift*. One often reads that a small
#   shift does not change the result at all. That is not so.
# - **A little less overfitting**, one reads too: what is thrown away can't be learned by heart. It is a weak
#   effect, and no substitute for more data or for regularisation that is meant as such.
#
# The first three, counted:

# %%
features = torch.rand(1, 64, 32, 32)
pool = nn.MaxPool2d(2)
convolution = nn.Conv2d(64, 64, kernel_size=3, padding=1)
pooled = pool(features)
weights = convolution.weight.numel()
print("weights of the pooling:", len(list(pool.parameters())))
for name, given in {"not pooled": features, "pooled": pooled}.items():
    print(f"{name}: {given.numel():,} numbers")
    print(f"  the next convolution: {convolution(given)[0, 0].numel() * weights:,} products, {weights:,} weights")
    print(f"  a linear layer to 10 classes: {given.numel() * 10:,} weights")


def receptive_field(*layers):
    """Count the columns of the input on which the middle of the output depends."""
    line = torch.zeros(1, 1, 1, 64, requires_grad=True)
    result = nn.Sequential(*layers)(line)
    result[..., result.shape[-1] // 2].sum().backward()
    return int((line.grad != 0).sum())


three = nn.Conv2d(1, 1, (1, 3))
print("receptive field of two convolutions of 3:", receptive_field(three, three))
print("with a pooling of 2 in between:          ", receptive_field(three, nn.AvgPool2d((1, 2)), three))

# %% [markdown]
# ## Output size
#
# In one dimension, with $n$ numbers, kernel size $k$, stride $s$, padding $p$ on both sides and dilation $d$, there
# are
#
# $$ \left\lfloor \frac{n + 2p - d\,(k - 1) - 1}{s} \right\rfloor + 1 $$
#
# windows: the formula of chapter 02. Only the **default of the stride** differs. A convolution moves on by 1, a
# pooling by its **kernel size**, so that windows lie side by side.
#
# **On paper.** CIFAR-10's pictures are 32 pixels wide. What does a pooling with kernel size 3 make of them, and how
# many columns does it never look at?

# %%
picture = torch.rand(1, 3, 32, 32)
for options in ({}, {"ceil_mode": True}):
    layer = nn.MaxPool2d(kernel_size=3, **options)
    print(tuple(layer(picture).shape), options)
columns = F.max_pool2d(torch.arange(32.0).view(1, 1, 1, 32), (1, 3)).flatten().tolist()
print("last column of each window:", columns)

# %% [markdown]
# By default the fraction is rounded down, so that what is left over at the end is dropped: above, two columns and
# two rows. With `ceil_mode=True` it is rounded up, and the last window hangs over the edge:

# %%
five = torch.tensor([[1.0, 2, 3, 4, 5]])
plots.pooling(five, (1, 2), ceil_mode=True)

# %% [markdown]
# In many texts that is all there is to `ceil_mode`: *the size is rounded up*. But there is a second rule. **On
# paper.** The same five numbers with padding 1: $(5 + 2 - 2) / 2$ is $2.5$, rounded up that is 3, plus 1 makes
# **four** windows. Where would the fourth one begin?

# %%
windows = F.max_pool2d(five.view(1, 1, 1, 5), (1, 2), padding=(0, 1), ceil_mode=True)
print("windows:", windows.shape[-1], "with the numbers", windows.flatten().tolist())
plots.pooling(five, (1, 2), padding=(0, 1), ceil_mode=True)

# %% [markdown]
# It would begin in the padding behind the last number, and all of it would be padding: its maximum would be
# $-\infty$. So **the last window has to begin inside the input or in the padding before it**. Counted from the start
# of the padding, the window with number `size - 1` begins at `(size - 1) * stride`; if that is `n + padding` or
# more, there is one window less.
#
# Another rule is there for the same reason: the padding is at most half of the kernel size. More would give windows
# that hold nothing but padding.

# %%
try:
    nn.MaxPool2d(kernel_size=2, padding=2)(picture)
except RuntimeError as error:
    print(str(error).split(".")[0])

# %% [markdown]
# **Try it.** Move a slider, and formula and picture follow; *step* goes from window to window. Tick *predict first*: you
# say how large the output is before you see it. Can you find a setting where `ceil_mode` rounds up in vain?

# %%
explorers.pooling()

# %% [markdown]
# **Your turn.** Write the size for one dimension.


# %% nbgrader={"grade": false, "grade_id": "pool_output_size", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pool_output_size(n, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """Return how many numbers a pooling makes of n.

    All arguments are whole numbers (stride may be None: then it is the kernel size), except
    ceil_mode, which is True or False. The result is a whole number.
    """
    ### BEGIN SOLUTION
    if stride is None:
        stride = kernel_size
    room = n + 2 * padding - dilation * (kernel_size - 1) - 1
    if not ceil_mode:
        return room // stride + 1
    size = (room + stride - 1) // stride + 1
    return size - 1 if (size - 1) * stride >= n + padding else size
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_pool_output_size", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(pool_output_size, points=4)
### BEGIN HIDDEN TESTS
check(pool_output_size, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Maximum
#
# $$ \text{output}[i, j] = \max_{u,\,v} \; \text{input}[\,i\,s + u\,d - p,\; j\,s + v\,d - p\,],
#    \qquad 0 \le u, v < k $$
#
# and what lies outside the input counts as $-\infty$. All the arguments of `nn.MaxPool2d`:
#
# | argument | default | meaning |
# |---|---|---|
# | `kernel_size` | | height and width of the window: a number, or a pair |
# | `stride` | the kernel size | how far the window moves on |
# | `padding` | 0 | how much is added on each side, of $-\infty$ |
# | `dilation` | 1 | how far apart the numbers of a window lie |
# | `return_indices` | `False` | whether it also says where each maximum was |
# | `ceil_mode` | `False` | whether a last window may hang over the edge |
#
# (In the function `F.max_pool2d` the last two stand the other way round. Name them.)

# %%
batch = torch.rand(2, 3, 9, 12)
for changed in (
    {},
    {"kernel_size": (2, 3)},
    {"stride": 1},
    {"stride": (1, 2)},
    {"padding": 1},
    {"dilation": 2},
    {"ceil_mode": True},
):
    layer = nn.MaxPool2d(**({"kernel_size": 2} | changed))
    print(tuple(layer(batch).shape), changed or "kernel_size 2, to begin with")

# %% [markdown]
# **Why minus infinity?** Padding must never win. After a ReLU nothing is negative, and zeros would do no harm. But
# the outputs of a convolution can be negative, and batch normalisation makes half of them so:

# %%
negative = torch.tensor([[[[-1.0, -2.0], [-3.0, -4.0]]]])
print("torch:            ", F.max_pool2d(negative, 2, padding=1).flatten().tolist())
print("padded with zeros:", F.max_pool2d(F.pad(negative, (1, 1, 1, 1)), 2).flatten().tolist())

# %% [markdown]
# For the same reason a loop that looks for the maximum must not begin with `best = 0`.
#
# **Dilation**, on paper: six numbers, a window of two with dilation 3, stride 1. Which pairs are compared?

# %%
six = torch.tensor([[[[5.0, 1, 6, 2, 4, 3]]]])
print("dilation 1:", F.max_pool2d(six, (1, 2), stride=1).flatten().tolist())
print("dilation 3:", F.max_pool2d(six, (1, 2), stride=1, dilation=(1, 3)).flatten().tolist())
plots.pooling_steps(six[0, 0], (1, 2), stride=1, dilation=(1, 3), steps=(0, 1, 2))

# %% [markdown]
# ## Where the maximum was
#
# With `return_indices=True` a second tensor comes back, of whole numbers. Each says where in the image its maximum
# was: `row * width + column`. Three things to mind: the places are counted in the image **without its padding**, in
# **the whole image**, not in the window, and **every channel of every image begins at 0 again**.
#
# **On paper.** Which four indices belong to the maxima 6, 4, 7 and 9 of the grid above?

# %%
maxima, indices = F.max_pool2d(image, 2, return_indices=True)
print("maxima: ", maxima.flatten().tolist())
print("indices:", indices.flatten().tolist(), indices.dtype)
print("rows:   ", (indices // 4).flatten().tolist())
print("columns:", (indices % 4).flatten().tolist())
two_channels = torch.stack([grid, -grid])[None]
print("of two channels:", F.max_pool2d(two_channels, 2, return_indices=True)[1][0].flatten(1).tolist())

# %% [markdown]
# **Your turn.** The whole layer. Build it up one argument at a time: the check tells you which ones already work,
# and gives points for them. Nothing that pools is allowed, neither is the same layer in one or three dimensions.
# (Equal maxima in one window don't occur in the check; where they do, PyTorch takes the first one.)


# %% nbgrader={"grade": false, "grade_id": "max_pool2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Return the maximum of each window and, with return_indices=True, also where it was.

    input: a tensor of shape (N, C, H, W). kernel_size, stride, padding, dilation: a number
    or a pair (height, width); stride may be None. Returns a tensor of shape (N, C, h, w), or
    a tuple of two of them: the maxima and their indices, which are whole numbers (int64).
    """
    ### BEGIN SOLUTION
    stride = kernel_size if stride is None else stride
    pairs = ((v, v) if isinstance(v, int) else v for v in (kernel_size, stride, padding, dilation))
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = pairs
    height, width = input.shape[2:]
    h = pool_output_size(height, kh, sh, ph, dh, ceil_mode)
    w = pool_output_size(width, kw, sw, pw, dw, ceil_mode)
    # So much that the last window fits, even where it hangs over the edge.
    bottom = max((h - 1) * sh + dh * (kh - 1) + 1 - height - ph, 0)
    right = max((w - 1) * sw + dw * (kw - 1) + 1 - width - pw, 0)
    padded = F.pad(input, (pw, right, ph, bottom), value=-torch.inf)
    places = F.pad(torch.arange(height * width).view(height, width), (pw, right, ph, bottom))
    best = input.new_full((*input.shape[:2], h, w), -torch.inf)
    where = torch.zeros_like(best, dtype=torch.int64)
    for i in range(kh):
        for j in range(kw):
            rows = slice(i * dh, i * dh + (h - 1) * sh + 1, sh)
            columns = slice(j * dw, j * dw + (w - 1) * sw + 1, sw)
            candidate = padded[:, :, rows, columns]
            where = torch.where(candidate > best, places[rows, columns], where)
            best = torch.maximum(best, candidate)
    return (best, where) if return_indices else best
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_max_pool2d", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
check(max_pool2d, points=6)
### BEGIN HIDDEN TESTS
check(max_pool2d, points=6, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Average
#
# The sum of a window is simple. By how many numbers it is divided is not, since a window may hold padding (here it
# is made of zeros), and in ceil mode places that aren't even padding. The arguments of `nn.AvgPool2d`:
#
# | argument | default | meaning |
# |---|---|---|
# | `kernel_size` | | height and width of the window: a number, or a pair |
# | `stride` | the kernel size | how far the window moves on |
# | `padding` | 0 | how many zeros are added on each side |
# | `ceil_mode` | `False` | whether a last window may hang over the edge |
# | `count_include_pad` | `True` | whether zeros of the padding are counted as numbers of the window |
# | `divisor_override` | `None` | what to divide by, whatever there is to count |
#
# **On paper.** Four ones, padding 1, a window of 2 by 2. In every window there is a single one and three zeros. What
# does each variant give?

# %%
ones = torch.ones(1, 1, 2, 2)
for options in ({}, {"count_include_pad": False}, {"divisor_override": 2}):
    print(F.avg_pool2d(ones, 2, padding=1, **options).flatten().tolist(), options)

# %% [markdown]
# With zeros counted, borders become darker. `divisor_override` takes the place of the count: the *sum* is divided by
# it, not the mean.
#
# In ceil mode the last window may hang over the edge. **What lies beyond the padding is never counted**, not even
# with `count_include_pad=True`:

# %%
three_ones = torch.ones(1, 1, 1, 3)
print("mean over the edge:", F.avg_pool2d(three_ones, (1, 2), ceil_mode=True).flatten().tolist())
row = torch.tensor([[2.0, 4, 6, 8, 10, 12, 14, 16]])
print("stride 4, padding 1:")
for options in ({}, {"count_include_pad": False}):
    result = F.avg_pool2d(row.view(1, 1, 1, 8), (1, 4), stride=(1, 4), padding=(0, 1), ceil_mode=True, **options)
    print(result.flatten().tolist(), options)
plots.pooling(row, (1, 4), stride=(1, 4), padding=(0, 1), ceil_mode=True, mode="average")

# %% [markdown]
# Look at the last window: one number of the image, 16, then one zero of the padding, then two places that are nothing
# at all. So 16 is divided by 2, if padding counts, or by 1; never by 4.
#
# **Your turn.** Write it, with the output size from above.


# %% nbgrader={"grade": false, "grade_id": "avg_pool2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def avg_pool2d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    """Return the mean of each window.

    input: a tensor of shape (N, C, H, W). kernel_size, stride, padding: a number or a pair
    (height, width); stride may be None. divisor_override: a number, or None.
    """
    ### BEGIN SOLUTION
    stride = kernel_size if stride is None else stride
    pairs = ((v, v) if isinstance(v, int) else v for v in (kernel_size, stride, padding))
    (kh, kw), (sh, sw), (ph, pw) = pairs
    height, width = input.shape[2:]
    h = pool_output_size(height, kh, sh, ph, 1, ceil_mode)
    w = pool_output_size(width, kw, sw, pw, 1, ceil_mode)
    rows = []
    for i in range(h):
        top, bottom = i * sh - ph, min(i * sh - ph + kh, height + ph)
        row = []
        for j in range(w):
            left, right = j * sw - pw, min(j * sw - pw + kw, width + pw)
            window = input[:, :, max(top, 0) : bottom, max(left, 0) : right]  # a slice ends with the image
            count = (bottom - top) * (right - left) if count_include_pad else window.shape[2] * window.shape[3]
            row.append(window.sum((2, 3)) / (divisor_override or count))
        rows.append(torch.stack(row, dim=-1))
    return torch.stack(rows, dim=-2)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_avg_pool2d", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
check(avg_pool2d, points=6)
### BEGIN HIDDEN TESTS
check(avg_pool2d, points=6, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Adaptive and global
#
# `nn.AdaptiveAvgPool2d` has a single argument, the **size of the result**: a number, or a pair in which `None` means
# *as large as it is*. The windows follow from that. If $n$ numbers are to become $m$, window $i$ goes
#
# $$ \text{from} \quad \left\lfloor \frac{i\,n}{m} \right\rfloor
#    \quad \text{up to, but not with,} \quad \left\lceil \frac{(i + 1)\,n}{m} \right\rceil . $$
#
# **On paper.** Five numbers become three. Which ones are in each window? They overlap, and they needn't be of one
# size:

# %%
for n, m in ((5, 3), (7, 3), (6, 3), (3, 5)):
    inside = [list(range(i * n // m, -(-(i + 1) * n // m))) for i in range(m)]
    means = F.adaptive_avg_pool2d(torch.arange(float(n)).view(1, 1, 1, n), (1, m)).flatten().tolist()
    print(f"{n} become {m}: places {inside}, means {[round(mean, 2) for mean in means]}")
for size in (4, (2, 3), (None, 5)):
    print("output_size", size, "gives", tuple(nn.AdaptiveAvgPool2d(size)(batch).shape))

# %% [markdown]
# No stride and kernel size of one pooling could do that, unless $m$ divides $n$. (The result may even be larger than
# the input: the last row.)
#
# **Your turn.** Write it for pictures. Height and width have windows of their own.


# %% nbgrader={"grade": false, "grade_id": "adaptive_avg_pool2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def adaptive_avg_pool2d(input, output_size):
    """Return the means of as many windows as the result is to have numbers.

    input: a tensor of shape (N, C, H, W). output_size: a number, or a pair (height, width)
    in which None stands for the input's own size.
    """
    ### BEGIN SOLUTION
    sides = (output_size, output_size) if isinstance(output_size, int) else output_size
    (height, width), (h, w) = input.shape[2:], sides
    h, w = height if h is None else h, width if w is None else w
    rows = []
    for i in range(h):
        top, bottom = i * height // h, -(-(i + 1) * height // h)
        lefts, rights = [j * width // w for j in range(w)], [-(-(j + 1) * width // w) for j in range(w)]
        windows = [input[:, :, top:bottom, a:b].mean((2, 3)) for a, b in zip(lefts, rights, strict=True)]
        rows.append(torch.stack(windows, dim=-1))
    return torch.stack(rows, dim=-2)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_adaptive_avg_pool2d", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(adaptive_avg_pool2d, points=5)
### BEGIN HIDDEN TESTS
check(adaptive_avg_pool2d, points=5, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Global average pooling** is the extreme: `nn.AdaptiveAvgPool2d(1)` leaves one number of each channel, its mean over
# the whole picture. It stands before the last linear layer of most newer networks, for two reasons. That layer
# becomes small, and the network takes pictures of any size:

# %%
for size in (8, 11):
    maps = torch.rand(16, 64, size, size)
    means = nn.AdaptiveAvgPool2d(1)(maps).flatten(1)
    flat, small = (sum(p.numel() for p in nn.Linear(n, 10).parameters()) for n in (64 * size * size, 64))
    print(f"{size} by {size}: {tuple(maps.shape)} becomes {tuple(means.shape)};", end=" ")
    print(f"a linear layer after flattening has {flat:,} parameters, after global pooling {small}")

# %% [markdown]
# To get rid of the two sides of size 1, one often sees `squeeze()`, which removes **every** side of size 1. Guess for
# which batch that goes wrong:

# %%
for number in (16, 1):
    squeezed = nn.AdaptiveAvgPool2d(1)(torch.rand(number, 64, 8, 8)).squeeze()
    print(f"batch of {number:2}: {tuple(squeezed.shape)}")

# %% [markdown]
# **Your turn.** Any way you like, for any batch.


# %% nbgrader={"grade": false, "grade_id": "global_average_pool", "locked": false, "schema_version": 3, "solution": true, "task": false}
def global_average_pool(input):
    """Return the mean of each channel of each image.

    input: a tensor of shape (N, C, H, W). Returns a tensor of shape (N, C).
    """
    ### BEGIN SOLUTION
    return input.mean((2, 3))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_global_average_pool", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(global_average_pool, points=2)
### BEGIN HIDDEN TESTS
check(global_average_pool, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Gradients by hand
#
# **Max pooling.** Raise one number of a window a little. If it isn't the maximum, nothing happens; if it is, the
# output rises by as much. So **the whole gradient goes to the maximum, and nothing to the others**. Average pooling:
# all numbers have the same share in the mean, so that **each gets $1 / (k_h\,k_w)$ of the gradient**.
#
# **On paper.** The grid once more, with the gradients 10, 20, 30 and 40 for the four outputs:

# %%
grad_output = torch.tensor([[[[10.0, 20.0], [30.0, 40.0]]]])
for name, layer in {"max": nn.MaxPool2d(2), "average": nn.AvgPool2d(2)}.items():
    x = image.clone().requires_grad_()
    layer(x).backward(grad_output)
    print(name)
    print(x.grad[0, 0])

# %%
plots.pooling_backward_animation(grad_output[0, 0], grid, 2)

# %% [markdown]
# Two things are easily overlooked. **Where windows overlap, gradients add up**: a number can be the maximum of several
# windows. And **where a window has several equal maxima, the first one gets everything**. Zeros after a ReLU are equal
# quite often.

# %%
peak = torch.tensor([[[[0.0, 5.0, 0.0]]]], requires_grad=True)
F.max_pool2d(peak, (1, 2), stride=1).backward(torch.tensor([[[[1.0, 2.0]]]]))
print("a maximum of two windows:", peak.grad.flatten().tolist())

tie = torch.ones(1, 1, 2, 2, requires_grad=True)
F.max_pool2d(tie, 2).backward(torch.tensor([[[[1.0]]]]))
print("four equal numbers:      ", tie.grad.flatten().tolist())

padded = torch.zeros(1, 1, 1, 2, requires_grad=True)
F.avg_pool2d(padded, (1, 2), padding=(0, 1)).backward(torch.tensor([[[[1.0, 1.0]]]]))
print("means with padding:      ", padded.grad.flatten().tolist())

# %% [markdown]
# **Your turn.** Write both without autograd. `F.max_pool2d` is allowed in the first, `F.fold` and convolutions in
# the second.


# %% nbgrader={"grade": false, "grade_id": "max_pool2d_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def max_pool2d_backward(grad_output, input, kernel_size, stride=None, padding=0):
    """Return (grad_input,) for y = max_pool2d(input, kernel_size, stride, padding).

    grad_output: a tensor of y's shape. input: a tensor of shape (N, C, H, W). The others: a
    number or a pair; stride may be None. Of equal maxima the first one (row by row) counts.
    """
    ### BEGIN SOLUTION
    _, indices = F.max_pool2d(input, kernel_size, stride, padding, return_indices=True)
    plane = torch.zeros_like(input).flatten(2)
    plane.scatter_add_(2, indices.flatten(2), grad_output.flatten(2))
    return (plane.view_as(input),)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_max_pool2d_backward", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(max_pool2d_backward, points=5)
### BEGIN HIDDEN TESTS
check(max_pool2d_backward, points=5, hidden=True)
### END HIDDEN TESTS


# %% nbgrader={"grade": false, "grade_id": "avg_pool2d_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def avg_pool2d_backward(grad_output, input, kernel_size, stride=None, padding=0):
    """Return (grad_input,) for y = avg_pool2d(input, kernel_size, stride, padding).

    grad_output: a tensor of y's shape. input: a tensor of shape (N, C, H, W). The others: a
    number or a pair; stride may be None. Zeros of the padding count, as by default.
    """
    ### BEGIN SOLUTION
    stride = kernel_size if stride is None else stride
    pairs = ((v, v) if isinstance(v, int) else v for v in (kernel_size, stride, padding))
    (kh, kw), (sh, sw), (ph, pw) = pairs
    n, channels, height, width = input.shape
    padded = input.new_zeros(n, channels, height + 2 * ph, width + 2 * pw)
    for i in range(grad_output.shape[2]):
        for j in range(grad_output.shape[3]):
            share = grad_output[:, :, i, j, None, None] / (kh * kw)
            padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw] += share
    return (padded[:, :, ph : ph + height, pw : pw + width],)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_avg_pool2d_backward", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(avg_pool2d_backward, points=4)
### BEGIN HIDDEN TESTS
check(avg_pool2d_backward, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Unpooling
#
# Who keeps the indices can put the maxima back: `nn.MaxUnpool2d(kernel_size, stride, padding)`, called with the
# maxima and the indices. Everything else becomes zero, since it is lost:

# %%
unpool = nn.MaxUnpool2d(kernel_size=2)
maxima, indices = F.max_pool2d(image, 2, return_indices=True)
restored = unpool(maxima, indices)
print(restored[0, 0])
print("numbers that came back:", int((restored == image).sum()), "of", image.numel())
plots.unpooling_steps(maxima[0, 0], indices[0, 0], 2)

# %% [markdown]
# (One zero of the grid was a zero before.) Where is it used? On the way back up, in networks that give every pixel a
# class: edges return to the very pixel where they were, which no enlarging could know. The arguments, with those of
# the call:
#
# | argument | default | meaning |
# |---|---|---|
# | `kernel_size`, `stride`, `padding` | | as they were in the pooling |
# | `input`, `indices` | | what the pooling returned |
# | `output_size` | `None` | the size before the pooling: height and width, or the whole shape |
#
# Why `output_size`? Two sizes can come down to the same one, as in chapter 03. Without it the smallest is taken:
#
# $$ (n - 1)\,s + k - 2p $$
#
# **On paper.** Five by five numbers, pooled by 2: the last row and column are left over. What happens to the indices
# if the unpooling doesn't know?

# %%
larger = torch.zeros(1, 1, 5, 5)
larger[0, 0, 1, 1], larger[0, 0, 1, 3], larger[0, 0, 2, 1], larger[0, 0, 3, 2] = 6.0, 4.0, 7.0, 9.0
maxima, indices = F.max_pool2d(larger, 2, return_indices=True)
print("indices:", indices.flatten().tolist())
print("with output_size:")
print(unpool(maxima, indices, output_size=larger.shape)[0, 0])
try:
    print(unpool(maxima, indices)[0, 0])
except RuntimeError as error:
    print("without it:", str(error).split(".")[0])

# %% [markdown]
# An index counts places in rows of five. Read in rows of four it means another place, or, as here, none at all. Had
# the last index been smaller, nobody would have complained.
#
# **Your turn.** Write it. An index that comes twice, from windows that overlap, comes with the same number both
# times. `scatter` is one good tool for the job.


# %% nbgrader={"grade": false, "grade_id": "max_unpool2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Put each number where its index says, into zeros.

    input, indices: tensors of shape (N, C, h, w), as max pooling returns them. kernel_size,
    stride, padding: a number or a pair; stride may be None. output_size: None, a pair
    (height, width), or a whole shape (N, C, height, width).
    """
    ### BEGIN SOLUTION
    stride = kernel_size if stride is None else stride
    pairs = ((v, v) if isinstance(v, int) else v for v in (kernel_size, stride, padding))
    (kh, kw), (sh, sw), (ph, pw) = pairs
    n, channels, h, w = input.shape
    height, width = (h - 1) * sh + kh - 2 * ph, (w - 1) * sw + kw - 2 * pw
    if output_size is not None:
        height, width = output_size[-2:]
    plane = input.new_zeros(n, channels, height * width)
    return plane.scatter(2, indices.flatten(2), input.flatten(2)).view(n, channels, height, width)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_max_unpool2d", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(max_unpool2d, points=5)
### BEGIN HIDDEN TESTS
check(max_unpool2d, points=5, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# On pictures: pooled by 4 and unpooled, one number of sixteen is left, and each colour has its own maxima. Enlarging
# the pooled picture instead fills the gaps, but the places are gone.

# %%
pictures = data.cifar10(train=False)
images, labels = next(pictures.batches(64))
small, where = F.max_pool2d(images[:4], 4, return_indices=True)
back = F.max_unpool2d(small, where, 4)
print(f"numbers that are not zero: {(back != 0).float().mean():.1%}")
plots.before_after(back, F.interpolate(small, scale_factor=4), titles=("unpooled", "enlarged"))

# %% [markdown]
# ## A small shift
#
# Pooling is said to make a network *invariant* to small shifts: move the picture by a pixel, and the result stays the
# same. **On paper.** Two rows, the second one moved to the right by one place. Pool both by 2:

# %%
before = torch.tensor([[[[0.0, 9, 0, 0, 0, 0]]]])
for name, line in {"as it is": before, "moved by 1": before.roll(1, 3), "moved by 2": before.roll(2, 3)}.items():
    print(f"{name:10}  {line.flatten().tolist()} becomes {F.max_pool2d(line, (1, 2)).flatten().tolist()}")
inside = torch.tensor([[[[9.0, 0, 0, 0, 0, 0]]]])
moved = inside.roll(1, 3)
print(f"another    {inside.flatten().tolist()} and {moved.flatten().tolist()}: ", end="")
print("the same" if torch.equal(F.max_pool2d(inside, (1, 2)), F.max_pool2d(moved, (1, 2))) else "different")

# %% [markdown]
# It depends on where the peak is. As long as it stays in its window nothing changes; when it crosses over to the
# next one, its number moves by one place, which is two pixels' worth. So what one gets is *tolerance*, not
# invariance, and how much of it can be measured. Here pictures are moved **down** by some pixels (what leaves at the
# bottom comes in at the top), and we look at how much the layer's output changes, compared with its size:

# %%
layers = {
    "no layer": nn.Identity(),
    "max, 2": nn.MaxPool2d(2),
    "max, 8": nn.MaxPool2d(8),
    "average, 2": nn.AvgPool2d(2),
    "average, 8": nn.AvgPool2d(8),
    "global average": nn.AdaptiveAvgPool2d(1),
}
shifts = [1, 2, 3, 4, 6, 8]
changes = {}
for name, layer in layers.items():
    still = layer(images)
    scale = still.abs().mean()
    changes[name] = [((layer(images.roll(pixels, 2)) - still).abs().mean() / scale).item() for pixels in shifts]
    print(f"{name:14}", "  ".join(f"{change:6.1%}" for change in changes[name]))
plots.change_by_shift(changes, shifts)

# %% [markdown]
# Every pooling makes the change smaller, and large windows do more than small ones. Windows of two leave a good part
# of it, even for a shift of one pixel, and only the global mean doesn't change at all.
#
# (A layer with stride 1 moves its output along with its input, which is called *equivariance*: nothing is lost, it is
# only elsewhere. A stride above 1 skips places, and a shift changes which ones. That is *aliasing*, and a reason to
# blur before skipping.)
#
# **Your turn.** Write the measurement as a function, for a shift to the **right**.


# %% nbgrader={"grade": false, "grade_id": "shift_change", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shift_change(layer, images, shift):
    """Return how much a layer's output changes when its images move to the right.

    layer: a function on tensors. images: a tensor of shape (N, C, H, W). shift: by how many
    pixels they move; what leaves on the right comes in again on the left.
    Returns one number: the mean absolute difference between the two outputs, divided by the
    mean absolute value of the output for the images as they are.
    """
    ### BEGIN SOLUTION
    before = layer(images)
    after = layer(torch.roll(images, shift, dims=3))
    return ((after - before).abs().mean() / before.abs().mean()).item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_shift_change", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(shift_change, points=4)
### BEGIN HIDDEN TESTS
check(shift_change, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Before and after in TensorBoard
#
# Whole batches now: max pooling with windows of three, as above, average pooling with the same windows, and for
# comparison every third pixel of every third row, without pooling. The pictures become smaller: TensorBoard doesn't
# mind.

# %%
test_batches = list(pictures.batches(64, limit=4))
folder = board.run("04_pooling")
board.log_layer("max", nn.MaxPool2d(kernel_size=3), test_batches, folder=folder)
board.log_layer("average", nn.AvgPool2d(kernel_size=3), test_batches, folder=folder)
board.log_layer("every_third", lambda batch: batch[:, :, 1:30:3, 1:30:3], test_batches, folder=folder)

for tag, steps in sorted(board.read(folder).images.items()):
    print(f"{tag:18} steps {min(steps)} to {max(steps)}, each a picture of shape {tuple(steps[0].shape)}")

# %%
board.show(folder)

# %% [markdown]
# The same without TensorBoard, for four pictures. Max pooling makes them brighter and loses thin dark lines; average
# pooling keeps the brightness (nearly: the last two rows and columns are never looked at).

# %%
largest, mean = F.max_pool2d(images[:4], 3), F.avg_pool2d(images[:4], 3)
print(f"mean brightness: {images[:4].mean():.3f} before, {largest.mean():.3f} max, {mean.mean():.3f} average")
plots.before_after(largest, mean, titles=("max", "average"))

# %% [markdown]
# **Your turn.** Do the logging yourself, for any pooling layer, with PyTorch's `SummaryWriter`: every batch before
# and after the layer, a new step for each batch, and the writer closed at the end.


# %% nbgrader={"grade": false, "grade_id": "log_pooling", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_pooling(folder, name, layer, batches):
    """Log each batch of images before and after a layer.

    folder: where the event file goes.
    name: for instance "max"; the tags are then "max/input" and "max/output".
    layer: a function on batches of images, which may make them smaller.
    batches: pairs (images, labels) with images of shape (N, 3, H, W).
    The first batch is step 0, the second step 1, and so on. Returns nothing.
    """
    from torch.utils.tensorboard import SummaryWriter

    ### BEGIN SOLUTION
    with SummaryWriter(folder) as writer:
        for step, (images, labels) in enumerate(batches):
            writer.add_images(f"{name}/input", images, step)
            writer.add_images(f"{name}/output", layer(images), step)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_log_pooling", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(log_pooling, points=3)
### BEGIN HIDDEN TESTS
check(log_pooling, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Find the bug in published code
#
# Poolings like this one stand in many a tutorial on *a CNN from scratch*. The result has the right size, and it even
# looks right, at a glance:

# %%
def published_pool(image, kernel_size, stride):
    height, width = image.shape
    rows = (height - kernel_size) // stride + 1
    columns = (width - kernel_size) // stride + 1
    output = image.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            output[i, j] = image[i : i + kernel_size, j : j + kernel_size].max()
    return output


one = images[:1].mean(1, keepdim=True)  # in grey
published = published_pool(one[0, 0], 2, 2)[None, None]
real = F.max_pool2d(one, 2, 2)
print("sizes:", tuple(published.shape[2:]), "and", tuple(real.shape[2:]))
print("the grid:", published_pool(grid, 2, 2).tolist(), "and", F.max_pool2d(image, 2, 2)[0, 0].tolist())
plots.images(torch.cat([published, real]), titles=["published", "torch"], columns=2)

# %% [markdown]
# **Your turn.** What has become of the rest of the picture? Mend it with the smallest change.


# %% nbgrader={"grade": false, "grade_id": "mend_pool_stride", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mend_pool_stride(image, kernel_size, stride):
    """Return the maximum of each window of one image, by the mended loop.

    image: a tensor of shape (H, W). kernel_size, stride: whole numbers.
    """
    ### BEGIN SOLUTION
    height, width = image.shape
    rows = (height - kernel_size) // stride + 1
    columns = (width - kernel_size) // stride + 1
    output = image.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            output[i, j] = image[top : top + kernel_size, left : left + kernel_size].max()
    return output
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_mend_pool_stride", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(mend_pool_stride, points=3)
### BEGIN HIDDEN TESTS
check(mend_pool_stride, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## In your own words
#
# Somebody writes about a network for photos of documents: *I pool by 2 after every convolution, five times in all.
# That makes it invariant to shifts, it saves parameters in the convolutions, and nothing important is lost, since the
# maximum keeps it.* What is wrong, or only half right, in each of the three claims? And name one thing that could
# stand in place of a pooling layer, with what it would cost.

# %% [markdown] nbgrader={"grade": true, "grade_id": "explain_pooling", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Invariant: pooling tolerates shifts within a window; a peak that crosses to the next window changes the result, and
# with a stride above 1 a shift changes which places are looked at. Only a global pooling at the end ignores where
# things are. Parameters: a convolution has as many weights whatever the size of its input; what is saved is time and
# memory, and weights in a linear layer after flattening. Nothing lost: three of four numbers are, five times over;
# what is left knows that there was something, not where, and thin dark strokes on bright paper are just what a
# maximum erases. Instead: a convolution with stride 2 learns how to summarise, but has weights and needs time; or
# average pooling, which keeps dark strokes as grey, but blurs. (One point for each claim, one for the alternative
# with its cost.)
# ### END SOLUTION

# %% [markdown]
# ## Traps
#
# - **The stride's default is the kernel size**, not 1 as in a convolution.
# - **Max pooling pads with minus infinity**, average pooling with zeros. A loop for the maximum must not begin at 0.
# - **Ceil mode does not just round up.** A last window that would begin behind the input is left out.
# - **Zeros of the padding count in an average**, unless `count_include_pad=False`. What hangs over never counts.
# - **`divisor_override` divides the sum**, not the mean.
# - **Indices count in the whole image without its padding**, and begin at 0 in every channel.
# - **Unpooling needs `output_size`** where something was left over, or indices are read in rows of another length.
# - **Adaptive windows overlap** and differ in size. No single kernel size and stride do the same.
# - **Equal maxima**: all of the gradient goes to the first. **Overlapping windows**: gradients add up.
# - **`squeeze()` after global pooling** takes the batch away when it has one image.
# - **Tolerant of small shifts is not invariant.**
# - **`ceil_mode` and `return_indices`** stand in another order in the class than in the function. Name them.

# %% [markdown]
# ## Summary
#
# | | max | average | adaptive average | global average |
# |---|---|---|---|---|
# | class | `nn.MaxPool2d` | `nn.AvgPool2d` | `nn.AdaptiveAvgPool2d(size)` | `nn.AdaptiveAvgPool2d(1)` |
# | answers | is it anywhere here? | how much of it is here? | the same, for a given size | how much of it is in the picture? |
# | padding | $-\infty$ | zeros, counted or not | none | none |
# | gradient | to the maximum | the same share for all | the same share for all | the same share for all |
# | used | in between, in classifiers | to smooth, to shrink | before linear layers | before the last layer |
# | beware of | thin dark lines, aliasing | darker borders | windows that differ | where things were is gone |
#
# | | |
# |---|---|
# | output size | $\lfloor (n + 2p - d\,(k - 1) - 1) / s \rfloor + 1$ |
# | in ceil mode | rounded up, minus the last window if it begins at $n + p$ or later |
# | adaptive window $i$ of $m$ | from $\lfloor i n / m \rfloor$ to $\lceil (i + 1) n / m \rceil$ |
# | unpooled size | $(n - 1)\,s + k - 2p$, or `output_size` |

# %% [markdown]
# ## Where to read on
#
# - LeCun, Bottou, Bengio and Haffner: *Gradient-Based Learning Applied to Document Recognition*, 1998 (averages, with
#   a learned weight and bias).
# - Scherer, Müller and Behnke: *Evaluation of Pooling Operations in Convolutional Architectures for Object
#   Recognition*, 2010.
# - Zeiler and Fergus: *Visualizing and Understanding Convolutional Networks*, 2014 (unpooling, to look inside).
# - Lin, Chen and Yan: *Network in Network*, 2014 (global average pooling).
# - Springenberg, Dosovitskiy, Brox and Riedmiller: *Striving for Simplicity: The All Convolutional Net*, 2015
#   (convolutions with a stride instead).
# - Badrinarayanan, Kendall and Cipolla: *SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image
#   Segmentation*, 2017 (unpooling at work).
# - Zhang: *Making Convolutional Networks Shift-Invariant Again*, 2019 (blur before the stride).
