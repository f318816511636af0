# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 Activations
#
# **What you will do.** Write nine activation functions and four of their gradients, find out what each is good for
# by experiment, and watch two of them at work on pictures in TensorBoard.
#
# **What you will learn.** Why a network without activations is one matrix in disguise; how to write functions that
# stay right for very large numbers; why deep networks of sigmoids learn so slowly; and how to read what your layers
# do.
#
# **What you need.** Python functions and a little calculus. Tensors are introduced as they come. About 120 minutes,
# and every section stands on its own: stop where you like and come back.
#
# How it works: write your answer in place of `raise NotImplementedError()`, run the cell, then run the cell with
# `check` under it. It tells you what is right and what isn't. Stuck? `hint("relu")` gives three hints, one at a time.

# %%
import math

import torch
import torch.nn.functional as F
from torch import nn

from tutor import board, check, data, explorers, hint, plots

# %% [markdown]
# ## Why a network needs bends
#
# One neuron takes numbers in, weighs them, adds them up, and adds a bias:
#
# $$ z = w_1 x_1 + w_2 x_2 + b $$
#
# Plotted against $x_1$ alone, that is a straight line. And a sum of straight lines is a straight line again, so that
# stacking neurons gains nothing by itself; *Stacked linear layers collapse* proves it. An **activation function**
# bends the line:
#
# $$ y = \mathrm{activation}(w_1 x_1 + w_2 x_2 + b) $$
#
# With a bend in each neuron, sums of neurons can follow any curve. (A bias only shifts the line. It does not bend
# it, though one often reads that it makes a layer non-linear. Nor do more bends by themselves make a network better on
# pictures that it has never seen: they let it follow more curves, wrong ones as well. Chapter 06 measures that.)
#
# Here is a neuron with two inputs, with and without a ReLU, the most common bend: it keeps what is positive and
# makes the rest zero.

# %%
neuron = nn.Linear(in_features=2, out_features=1)
with torch.no_grad():
    neuron.weight.copy_(torch.tensor([[2.0, -1.0]]))
    neuron.bias.fill_(0.5)

for x in ([1.0, 1.0], [1.0, 4.0]):
    z = neuron(torch.tensor(x))
    print(f"input {x}: weighted sum {z.item():.1f}, after ReLU {nn.ReLU()(z).item():.1f}")

# %% [markdown]
# All the activations of this chapter at a glance, each with its slope. The slope matters as much as the curve:
# learning goes backwards through the network, and at each activation the gradient is multiplied by that slope.

# %%
plots.activations(
    {
        "ReLU": F.relu,
        "Sigmoid": torch.sigmoid,
        "Tanh": torch.tanh,
        "Leaky ReLU (0.1)": lambda x: F.leaky_relu(x, 0.1),
        "ELU": F.elu,
    }
)

# %% [markdown]
# **Try it.** Choose a function and move along it: how large is its value there, and how large its gradient? Tick *predict
# first* to say so before you see it.

# %%
explorers.activation()

# %% [markdown]
# ## ReLU
#
# $$ \mathrm{relu}(x) = \max(0, x) $$
#
# **On paper.** Take the numbers $-1,\ 0,\ 1.5,\ -0.3$. Which of them survive? Write your answer down before you run
# the next cell.
#
# PyTorch offers the same thing as a class, for building networks, and as a function. Both work on a tensor of any
# shape, element by element.

# %%
x = torch.tensor([-1.0, 0.0, 1.5, -0.3])
print("class:   ", nn.ReLU()(x))
print("function:", F.relu(x))

square = torch.tensor([[1.0, -0.5], [-1.0, 3.0]])
print("any shape:", F.relu(square), sep="\n")

# %% [markdown]
# **Your turn.** Write `relu` with simple operations: arithmetic, comparisons, `torch.where`, `torch.maximum`,
# `clamp` and the like. Build a new tensor and leave `input` as it is.

# %% nbgrader={"grade": false, "grade_id": "relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu(input):
    """Keep the positive numbers, and put 0 in place of the others.

    input: a tensor of any shape. Returns a tensor of the same shape.
    """
    ### BEGIN SOLUTION
    return torch.where(input > 0, input, torch.zeros_like(input))
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_relu", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(relu, points=2)
### BEGIN HIDDEN TESTS
check(relu, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ReLU is cheap, and its slope is exactly 1 wherever it is active, so that gradients pass unchanged. Its weakness is
# the other side, where the slope is 0: see *Units that die*. (You may read that ReLU makes gradients explode. A
# slope of 1 neither shrinks nor grows anything; when gradients explode, large weights do it.)

# %% [markdown]
# ## Sigmoid
#
# $$ \sigma(x) = \frac{1}{1 + e^{-x}} = \frac{e^x}{1 + e^x} $$
#
# The sigmoid squeezes every number into the range from 0 to 1, which can be read as a probability. That is why it
# stands at the end of networks that answer yes or no.
#
# **On paper.** $e^{-\ln 3} = \frac13$, so that $\sigma(\ln 3) = 1 / (1 + \frac13) = \frac34$. And $\sigma(-\ln 3)$?
# The two formulas above are equal on paper. In a computer they are not: try $x = 1000$ in each.

# %%
x = torch.tensor([-math.log(3), 0.0, math.log(3)])
print("sigmoid:", torch.sigmoid(x))
print("class:  ", nn.Sigmoid()(torch.tensor([-2.0, 0.0, 2.0])))

big = torch.tensor(1000.0)
print("e to the 1000:", torch.exp(big).item())
print("inf / inf:    ", (torch.exp(big) / torch.exp(big)).item())

# %% [markdown]
# `inf` stands for a number too large to hold, and `inf / inf` has no value: `nan`, *not a number*. A single `nan` in
# a network spreads to every weight in one step of training.
#
# **Your turn.** Write a `sigmoid` that is right for ordinary numbers, and right for enormous ones too.

# %% nbgrader={"grade": false, "grade_id": "sigmoid", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sigmoid(input):
    """Squeeze every number into the range from 0 to 1.

    input: a tensor of any shape. Returns a tensor of the same shape, never nan, however
    large the numbers.
    """
    ### BEGIN SOLUTION
    return 1 / (1 + torch.exp(-input))
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_sigmoid", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(sigmoid, points=3)
### BEGIN HIDDEN TESTS
check(sigmoid, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Tanh
#
# $$ \tanh(x) = \frac{e^x - e^{-x}}{e^x + e^{-x}} = \frac{2}{1 + e^{-2x}} - 1 = 2\,\sigma(2x) - 1 $$
#
# The hyperbolic tangent is a sigmoid stretched to the range from $-1$ to $1$. Its outputs have both signs and
# balance around 0, which lets the next layer learn faster than the sigmoid's, which are all positive.
#
# **On paper.** $e^{\ln 2} = 2$, so that $\tanh(\ln 2) = (2 - \frac12) / (2 + \frac12) = \frac{1.5}{2.5} = 0.6$.

# %%
print("tanh(ln 2):", torch.tanh(torch.tensor(math.log(2))))
print("class:     ", nn.Tanh()(torch.tensor([-1.0, 0.0, 1.0])))

# %% [markdown]
# **Your turn.** Three formulas to choose from. Which of them stays right at $x = 1000$ and at $x = -1000$?

# %% nbgrader={"grade": false, "grade_id": "tanh", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tanh(input):
    """Squeeze every number into the range from -1 to 1.

    input: a tensor of any shape. Returns a tensor of the same shape, never nan, however
    large the numbers.
    """
    ### BEGIN SOLUTION
    return 2 / (1 + torch.exp(-2 * input)) - 1
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_tanh", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(tanh, points=3)
### BEGIN HIDDEN TESTS
check(tanh, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Leaky ReLU
#
# $$ \mathrm{leaky\_relu}(x) = \begin{cases} x & x > 0 \\ a\,x & \text{otherwise} \end{cases} $$
#
# with a small slope $a$, called `negative_slope`. Where ReLU is flat, the leaky one lets a little through, so that
# no unit is ever quite dead.
#
# **On paper.** For $a = 0.1$: what becomes of $-2$ and of $3$? And with $a = 2$ (nobody does that, but a function
# has to be right all the same)?

# %%
x = torch.tensor([-2.0, 3.0])
for slope in (0.01, 0.1, 2.0):
    print(f"negative_slope={slope}: {nn.LeakyReLU(negative_slope=slope)(x)}")

# %% nbgrader={"grade": false, "grade_id": "leaky_relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def leaky_relu(input, negative_slope=0.01):
    """Keep the positive numbers, and multiply the others by negative_slope.

    input: a tensor of any shape. negative_slope: a number. Returns a tensor of the same shape.
    """
    ### BEGIN SOLUTION
    return torch.where(input > 0, input, negative_slope * input)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_leaky_relu", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(leaky_relu, points=2)
### BEGIN HIDDEN TESTS
check(leaky_relu, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## PReLU
#
# Why guess the slope? The *parametric* ReLU learns it: either one slope for everything, or one for each channel.
# Images come as tensors of shape $(N, C, H, W)$: pictures in the batch, channels, height, width. A slope for each of
# $C$ channels is a tensor `weight` of shape $(C,)$, and channel $c$ uses `weight[c]`.
#
# **On paper.** Two channels of one pixel each, both $-1$, and slopes $0.1$ and $0.2$: the result is $-0.1$ and
# $-0.2$.

# %%
layer = nn.PReLU(num_parameters=2, init=0.25)
print("slopes to begin with:", layer.weight.tolist(), "learnable:", layer.weight.requires_grad)

minus_ones = -torch.ones(1, 2, 1, 3)  # one picture, two channels, one row of three pixels
result = F.prelu(minus_ones, torch.tensor([0.1, 0.2]))
print("channel 0:", result[0, 0])
print("channel 1:", result[0, 1])

# %% [markdown]
# **Your turn.** Mind the shapes: in `weight * input`, PyTorch lines `weight` up with the *last* dimension, the
# width. `weight.view(1, -1, 1, 1)` gives it the shape $(1, C, 1, 1)$, which lines up with the channels of a 4-D
# input. The check also tries 2-D inputs of shape $(N, C)$.

# %% nbgrader={"grade": false, "grade_id": "prelu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def prelu(input, weight):
    """Keep the positive numbers, and multiply the others by the slope of their channel.

    input: a tensor of shape (N, C) or (N, C, H, W). weight: a tensor of shape (C,), or (1,)
    for one slope that
    all channels share. Returns a tensor of input's shape.
    """
    ### BEGIN SOLUTION
    slopes = weight.view(1, -1, *[1] * (input.dim() - 2))
    return torch.where(input > 0, input, slopes * input)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_prelu", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(prelu, points=3)
### BEGIN HIDDEN TESTS
check(prelu, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## RReLU
#
# The *randomised* leaky ReLU draws its slopes. While training, **every negative element** gets a slope of its own,
# drawn evenly between `lower` and `upper`. In evaluation nothing is random: all use the middle, $(\mathrm{lower} +
# \mathrm{upper}) / 2$. Noise in training makes it harder for a network to learn its examples by heart.

# %%
torch.manual_seed(0)
x = -torch.ones(4)
layer = nn.RReLU(lower=0.1, upper=0.3)
print("training:  ", layer.train()(x))
print("again:     ", layer.train()(x))
print("evaluation:", layer.eval()(x))

# %% nbgrader={"grade": false, "grade_id": "rrelu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    """Keep the positive numbers; multiply each of the others by a slope between lower and
    upper.

    input: a tensor of any shape. training: True draws a slope for each element, False uses
    the middle for all.
    Returns a tensor of the same shape.
    """
    ### BEGIN SOLUTION
    if training:
        slopes = lower + (upper - lower) * torch.rand_like(input)
    else:
        slopes = (lower + upper) / 2
    return torch.where(input > 0, input, slopes * input)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_rrelu", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(rrelu, points=4)
### BEGIN HIDDEN TESTS
check(rrelu, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## ELU
#
# $$ \mathrm{elu}(x) = \begin{cases} x & x > 0 \\ \alpha\,(e^x - 1) & \text{otherwise} \end{cases} $$
#
# The *exponential linear unit* has no corner for $\alpha = 1$: it runs smoothly into $-\alpha$.
#
# **On paper.** $e^{-\ln 2} = \frac12$, so that $\mathrm{elu}(-\ln 2) = \frac12 - 1 = -0.5$ for $\alpha = 1$. And for
# $\alpha = 2$?

# %%
x = torch.tensor([-math.log(2), 1.0])
for alpha in (1.0, 2.0):
    print(f"alpha={alpha}: {nn.ELU(alpha=alpha)(x)}")

# %% [markdown]
# **A trap with gradients.** `torch.where(condition, a, b)` computes **both** branches and keeps one. On the way
# back, it sends zero into the branch that wasn't kept; if the slope there is infinite, then $0 \cdot \infty$ gives
# `nan`, though the result was right all along:

# %%
x = torch.tensor(1000.0, requires_grad=True)
y = torch.where(x > 0, x, torch.exp(x) - 1)
y.backward()
print("result:", y.item(), " gradient:", x.grad.item())

# %% [markdown]
# **Your turn.** Keep the branch that isn't taken finite as well: give `exp` only numbers that are at most 0, for
# instance with `clamp`.

# %% nbgrader={"grade": false, "grade_id": "elu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def elu(input, alpha=1.0):
    """Keep the positive numbers; bend the others smoothly towards -alpha.

    input: a tensor of any shape. alpha: a positive number. Returns a tensor of the same
    shape; its gradient is never nan.
    """
    ### BEGIN SOLUTION
    negative = torch.clamp(input, max=0)
    return torch.where(input > 0, input, alpha * (torch.exp(negative) - 1))
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_elu", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(elu, points=3)
### BEGIN HIDDEN TESTS
check(elu, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Softmax
#
# A classifier ends in one number for each class, the *logits*. Softmax turns them into probabilities: all positive,
# and 1 in sum.
#
# $$ \mathrm{softmax}(x)_i = \frac{e^{x_i}}{\sum_j e^{x_j}} $$
#
# Unlike the others, it looks at several numbers together: those along the dimension `dim`. For logits of shape $(N,
# \text{classes})$ that is `dim=1`, so that each row sums to 1.
#
# **On paper.** The logits $0$ and $\ln 3$ have the exponentials $1$ and $3$, hence the probabilities $\frac14$ and
# $\frac34$.
#
# **A shift changes nothing.** $e^{x_i - m} = e^{x_i} e^{-m}$, and the factor $e^{-m}$ cancels between numerator and
# denominator. With $m$ the largest number *of its own row*, no exponent is above 0, and nothing overflows.

# %%
logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3)]])
print("dim=1, each row sums to 1:", nn.Softmax(dim=1)(logits), sep="\n")
print("dim=0, each column sums to 1:", nn.Softmax(dim=0)(logits), sep="\n")

big = torch.tensor([[1000.0, 1001.0]])
print("without a shift:", torch.exp(big) / torch.exp(big).sum(dim=1))
print("softmax:        ", F.softmax(big, dim=1))

# %% [markdown]
# **Your turn.** `input.amax(dim, keepdim=True)` gives the largest number along `dim` and keeps that dimension with
# size 1, so that subtracting lines up.

# %% nbgrader={"grade": false, "grade_id": "softmax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax(input, dim=None):
    """Turn the numbers along a dimension into probabilities.

    input: a tensor of any shape. dim: the dimension whose sums become 1; the check always
    names it. Returns a tensor of the same shape.
    """
    ### BEGIN SOLUTION
    shifted = input - input.amax(dim, keepdim=True)
    powers = torch.exp(shifted)
    return powers / powers.sum(dim, keepdim=True)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_softmax", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(softmax, points=4)
### BEGIN HIDDEN TESTS
check(softmax, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Log-softmax
#
# Training needs the *logarithm* of the probabilities. Taking `log` of a softmax fails for unlikely classes: the
# probability is rounded to 0, and $\log 0 = -\infty$. Dividing on paper first avoids it:
#
# $$ \log \frac{e^{x_i}}{\sum_j e^{x_j}} = x_i - \log \sum_j e^{x_j} $$
#
# and the sum is kept from overflowing by the same shift as before.

# %%
logits = torch.tensor([[0.0, 200.0]])
print("log(softmax):", torch.log(F.softmax(logits, dim=1)))
print("log_softmax: ", nn.LogSoftmax(dim=1)(logits))

# %% nbgrader={"grade": false, "grade_id": "log_softmax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_softmax(input, dim=None):
    """Return the logarithm of softmax, without ever taking the logarithm of 0.

    input: a tensor of any shape. dim: the dimension over which probabilities sum to 1.
    Returns a tensor of the same shape.
    """
    ### BEGIN SOLUTION
    shifted = input - input.amax(dim, keepdim=True)
    return shifted - torch.log(torch.exp(shifted).sum(dim, keepdim=True))
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_log_softmax", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(log_softmax, points=3)
### BEGIN HIDDEN TESTS
check(log_softmax, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Where it is used.** `nn.CrossEntropyLoss` already contains a log-softmax and wants plain logits; `nn.NLLLoss`
# wants what log-softmax returns. Many published networks end in `nn.Softmax` and then use `nn.CrossEntropyLoss`.
# Nothing crashes, but softmax is applied twice, and even a perfect answer keeps a large loss:

# %%
perfect = torch.tensor([[100.0, 0.0, 0.0]])
target = torch.tensor([0])
right = nn.CrossEntropyLoss()(perfect, target)
twice = nn.CrossEntropyLoss()(F.softmax(perfect, dim=1), target)
split = nn.NLLLoss()(F.log_softmax(perfect, dim=1), target)
print(f"logits into CrossEntropyLoss:   {right:.4f}")
print(f"softmax, then CrossEntropyLoss: {twice:.4f}")
print(f"log-softmax, then NLLLoss:      {split:.4f}")

# %% [markdown]
# ## Gradients by hand
#
# Learning asks of each layer one thing: *if the loss grows by `grad_output` for each unit of your output, by how
# much does it grow for each unit of your input?* For a function that acts on each number alone, the chain rule says:
# multiply by the slope.
#
# $$ \text{grad\_input} = \text{grad\_output} \cdot \text{slope}(x) $$
#
# | function | slope | in words |
# |---|---|---|
# | ReLU | $1$ if $x > 0$, else $0$ | let through, or not |
# | Sigmoid | $\sigma(x)\,(1 - \sigma(x))$ | at most $\frac14$, at $x = 0$ |
# | Tanh | $1 - \tanh(x)^2$ | at most $1$, at $x = 0$ |
#
# **On paper.** For the sigmoid at $x = 0$: $\sigma = \frac12$, slope $\frac12 \cdot \frac12 = \frac14$. With
# `grad_output` $= 2$ the gradient is $0.5$. Autograd agrees:

# %%
x = torch.tensor(0.0, requires_grad=True)
torch.sigmoid(x).backward(torch.tensor(2.0))
print("gradient of sigmoid at 0, for grad_output 2:", x.grad.item())

# %% [markdown]
# **Your turn.** Write the formulas yourself, without autograd. Each function takes `grad_output` and the forward
# function's `input`, both of the same shape, and returns a **tuple** with one gradient: `return (grad_input,)`. You
# may use `torch.sigmoid` and `torch.tanh`.

# %% nbgrader={"grade": false, "grade_id": "relu_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu_backward(grad_output, input):
    """Return (grad_input,) for y = relu(input). Both tensors have the same shape."""
    ### BEGIN SOLUTION
    return (grad_output * (input > 0),)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_relu_backward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(relu_backward, points=2)
### BEGIN HIDDEN TESTS
check(relu_backward, points=2, hidden=True)
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "sigmoid_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sigmoid_backward(grad_output, input):
    """Return (grad_input,) for y = sigmoid(input). Both tensors have the same shape."""
    ### BEGIN SOLUTION
    y = torch.sigmoid(input)
    return (grad_output * y * (1 - y),)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_sigmoid_backward", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(sigmoid_backward, points=3)
### BEGIN HIDDEN TESTS
check(sigmoid_backward, points=3, hidden=True)
### END HIDDEN TESTS

# %% nbgrader={"grade": false, "grade_id": "tanh_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tanh_backward(grad_output, input):
    """Return (grad_input,) for y = tanh(input). Both tensors have the same shape."""
    ### BEGIN SOLUTION
    y = torch.tanh(input)
    return (grad_output * (1 - y**2),)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_tanh_backward", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(tanh_backward, points=3)
### BEGIN HIDDEN TESTS
check(tanh_backward, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Softmax is different**, since each output depends on every input of its row. With $s = \mathrm{softmax}(x)$ and
# $g$ for `grad_output`, the slopes form a whole matrix for each row:
#
# $$ \frac{\partial s_i}{\partial x_j} = s_i\,(\delta_{ij} - s_j)
#    \qquad\Longrightarrow\qquad
#    \text{grad\_input}_j = s_j \Bigl( g_j - \sum_i g_i\, s_i \Bigr) $$
#
# where $\delta_{ij}$ is 1 for $i = j$ and else 0. **On paper.** For $x = (0, 0)$ we have $s = (\frac12, \frac12)$.
# With $g = (1, 0)$ the sum is $\frac12$, and the gradient is $\frac12 (1 - \frac12) = \frac14$ and $\frac12 (0 -
# \frac12) = -\frac14$.

# %%
x = torch.zeros(1, 2, requires_grad=True)
F.softmax(x, dim=1).backward(torch.tensor([[1.0, 0.0]]))
print("gradient of softmax at (0, 0), for grad_output (1, 0):", x.grad.tolist())

# %% nbgrader={"grade": false, "grade_id": "softmax_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax_backward(grad_output, input, dim=None):
    """Return (grad_input,) for y = softmax(input, dim). Both tensors have the same shape."""
    ### BEGIN SOLUTION
    powers = torch.exp(input - input.amax(dim, keepdim=True))
    s = powers / powers.sum(dim, keepdim=True)
    return (s * (grad_output - (grad_output * s).sum(dim, keepdim=True)),)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_softmax_backward", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(softmax_backward, points=4)
### BEGIN HIDDEN TESTS
check(softmax_backward, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Find the bug in published code
#
# A widely read tutorial gives these two formulas for the hyperbolic tangent:
#
# $$ \tanh(x) = \frac{\sin(x)}{\cos(x)} \qquad\text{and}\qquad \tanh(x) = \frac{2}{1 + e^{-2x}} + 1 $$
#
# Both are wrong. The next cell runs them beside the real one.

# %%
x = torch.tensor([-2.0, 0.0, 2.0])
rows = {
    "sin(x) / cos(x)": torch.sin(x) / torch.cos(x),
    "2 / (1 + exp(-2x)) + 1": 2 / (1 + torch.exp(-2 * x)) + 1,
    "torch.tanh": torch.tanh(x),
}
for formula, values in rows.items():
    print(f"{formula:24}", "  ".join(f"{value:7.3f}" for value in values.tolist()))

# %% [markdown]
# **Your turn.** What range should the result have, and what range does the second formula have? Mend it with the
# smallest change that makes it right.

# %% nbgrader={"grade": false, "grade_id": "mend_tanh", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mend_tanh(input):
    """Return tanh(input), by a mended form of the published formula 2 / (1 + exp(-2 *
    input)) + 1."""
    ### BEGIN SOLUTION
    return 2 / (1 + torch.exp(-2 * input)) - 1
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_mend_tanh", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(mend_tanh, points=2)
### BEGIN HIDDEN TESTS
check(mend_tanh, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Stacked linear layers collapse
#
# A linear layer computes $y = W x + b$. Put three of them in a row, with nothing in between:
#
# $$ W_3 \bigl( W_2 (W_1 x + b_1) + b_2 \bigr) + b_3 \;=\; \underbrace{W_3 W_2 W_1}_{W}\, x + \underbrace{W_3 W_2\, b_1 + W_3\, b_2 + b_3}_{b} $$
#
# One matrix and one bias do the same. The three layers cost three times the memory and can do nothing more.

# %%
torch.manual_seed(0)
one_two_three = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 2))
print("parameters in three layers:", sum(p.numel() for p in one_two_three.parameters()))
print("parameters in one layer:   ", sum(p.numel() for p in nn.Linear(4, 2).parameters()))

# %% [markdown]
# **Your turn.** Find that one matrix and that one bias. `weights[0]` and `biases[0]` belong to the layer that comes
# first; each weight has the shape (outputs, inputs), as in `nn.Linear`.

# %% nbgrader={"grade": false, "grade_id": "collapse_linear", "locked": false, "schema_version": 3, "solution": true, "task": false}
def collapse_linear(weights, biases):
    """Return the weight and the bias of the one linear layer that does what three in a row do.

    weights: three tensors of shape (outputs, inputs), the first layer's first.
    biases: three tensors of shape (outputs,).
    Returns (weight, bias), of shapes (last outputs, first inputs) and (last outputs,).
    """
    ### BEGIN SOLUTION
    first, second, third = weights
    weight = third @ second @ first
    bias = third @ (second @ biases[0] + biases[1]) + biases[2]
    return weight, bias
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_collapse_linear", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(collapse_linear, points=4)
### BEGIN HIDDEN TESTS
check(collapse_linear, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Units that die
#
# A ReLU whose weighted sum is negative for *every* picture always gives 0. Its slope is 0 as well, so that no
# gradient reaches its weights and it never comes back: it is dead. A large step in training, or an unlucky bias, can
# do that to many units at once.
#
# Here are 64 units that look at 500 pictures, with ordinary biases and with biases pushed down:

# %%
pictures = data.cifar10(train=False)
images, labels = next(pictures.batches(500))
torch.manual_seed(0)
layer = nn.Linear(3 * 32 * 32, 64)
for push in (0.0, -0.4, -0.8):
    with torch.no_grad():
        active = F.relu(layer(images.flatten(start_dim=1)) + push)
    share = (active > 0).double().mean()
    print(f"bias {push:+.1f}: {share:4.0%} of all activations are positive")

# %% [markdown]
# **Your turn.** Percentages don't show which units are dead. Count them: a unit is dead if it is 0 for every
# picture.

# %% nbgrader={"grade": false, "grade_id": "count_dead_units", "locked": false, "schema_version": 3, "solution": true, "task": false}
def count_dead_units(activations):
    """Return the number of units that are 0 for every sample.

    activations: a tensor of shape (samples, units), as it comes out of a ReLU. Returns a
    whole number.
    """
    ### BEGIN SOLUTION
    return int((activations == 0).all(dim=0).sum())
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_count_dead_units", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(count_dead_units, points=2)
### BEGIN HIDDEN TESTS
check(count_dead_units, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Gradients that vanish
#
# On its way back through a network the gradient is multiplied by one slope at each layer. The sigmoid's slope is at
# most $\frac14$:

# %%
slopes = torch.linspace(-6, 6, 1201, dtype=torch.float64)
s = torch.sigmoid(slopes)
print("largest slope of the sigmoid:", (s * (1 - s)).max().item())
for depth in (5, 10, 20):
    print(f"that slope {depth:2} times over: {0.25**depth:.1e}")

# %% [markdown]
# In a deep network of sigmoids the first layers therefore hardly learn at all. Measured, in networks of twenty
# layers: how strong is the gradient at each layer's weights?

# %%
def measured(activation, gain=1.0, depth=20, width=32):
    torch.manual_seed(0)
    layers = [nn.Linear(width, width, dtype=torch.float64) for _ in range(depth)]
    hidden = torch.randn(64, width, dtype=torch.float64)
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight, gain=gain)
        hidden = activation(layer(hidden))
    hidden.sum().backward()
    return [layer.weight.grad.norm().item() for layer in layers]


found = {
    "Sigmoid": measured(torch.sigmoid),
    "Tanh": measured(torch.tanh),
    "ReLU": measured(F.relu, gain=math.sqrt(2)),  # half of the units are silent: twice the variance
}
for name, norms in found.items():
    print(f"{name:8} first layer {norms[0]:.0e}, last layer {norms[-1]:.0e}")
plots.gradient_by_depth(found)

# %% [markdown]
# **Your turn.** Write that measurement as a function, for any activation and any weights (no biases this time). Here
# autograd may, and should, do the work.

# %% nbgrader={"grade": false, "grade_id": "gradient_norms", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gradient_norms(activation, input, weights):
    """Return how strong the gradient is at each layer's weight.

    The network computes hidden = activation(hidden @ weight.T) for each weight in turn, and
    begins with hidden = input. The gradient is that of the sum of all its outputs.

    activation: a function on tensors. input: a tensor of shape (N, width).
    weights: a list of tensors of shape (width, width), the first layer's first.
    Returns a list of numbers, one a layer, in the same order: the norm of each gradient.
    """
    ### BEGIN SOLUTION
    leaves = [weight.detach().clone().requires_grad_() for weight in weights]
    hidden = input
    for leaf in leaves:
        hidden = activation(hidden @ leaf.T)
    gradients = torch.autograd.grad(hidden.sum(), leaves)
    return [gradient.norm().item() for gradient in gradients]
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_gradient_norms", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(gradient_norms, points=4)
### BEGIN HIDDEN TESTS
check(gradient_norms, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## In place
#
# `nn.ReLU(inplace=True)` writes its result over its input. That saves memory, and it bites when somebody still needs
# the input:
#
# ```python
# x = torch.tensor([-1.0, 2.0])
# y = F.relu(x, inplace=True)
# z = x + y
# ```
#
# **Your turn.** Predict first: what do `x`, `y` and `z` hold at the end? Give three lists of two numbers.

# %% nbgrader={"grade": false, "grade_id": "predict_inplace", "locked": false, "schema_version": 3, "solution": true, "task": false}
def predict_inplace():
    """Return what x, y and z hold after the three lines above, as three lists of two
    numbers: (x, y, z)."""
    ### BEGIN SOLUTION
    return [0.0, 2.0], [0.0, 2.0], [0.0, 4.0]
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check_predict_inplace", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(predict_inplace, points=2)
### BEGIN HIDDEN TESTS
check(predict_inplace, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# Autograd needs old values too, and says so when one was overwritten: the sigmoid's slope is computed from its
# output, which the next line has changed.

# %%
x = torch.tensor([-1.0, 2.0], requires_grad=True)
y = torch.sigmoid(x)
y.mul_(10)
try:
    y.sum().backward()
except RuntimeError as error:
    print(str(error).split(":")[0])

# %% [markdown]
# ## CIFAR-10 before and after
#
# Now to pictures. CIFAR-10 is a large collection of small photos of ten kinds of things, with three channels for
# red, green and blue. Where it isn't on this computer and can't be downloaded, the course draws a small sample of
# its own, and says so.

# %%
low, high = images.min(), images.max()
print(f"{len(pictures):,} pictures of shape {tuple(images.shape[1:])}, values {low:.2f} to {high:.2f}")
plots.images(images[:10], titles=[pictures.classes[label] for label in labels[:10]])

# %% [markdown]
# What does ReLU do to a picture? Look at the range of the values above, and guess before you run this:

# %%
print("ReLU changes the picture:", not torch.equal(F.relu(images), images))
low, high = torch.sigmoid(torch.tensor([0.0, 1.0]))
print(f"sigmoid's range of values: {low:.2f} to {high:.2f}")

# %% [markdown]
# Pixels are never negative, so that ReLU leaves pictures as they are. Inside a network it meets numbers of both
# signs. Subtracting 0.5 first shows what it does there: everything darker than middle grey becomes middle grey. The
# sigmoid squeezes 0 … 1 into the narrow range printed above, which looks like fog.
#
# TensorBoard shows both for whole batches. A **tag** names a series of pictures; the **step** (`global_step`) counts
# along it. Here one step is one batch of 64.

# %%
test_batches = list(pictures.batches(64, limit=8))
centred = [(images - 0.5, labels) for images, labels in test_batches]

folder = board.run("01_activations")
board.log_layer("sigmoid", torch.sigmoid, test_batches, folder=folder)
board.log_layer("relu", F.relu, centred, folder=folder, scale=(-0.5, 0.5), input_scale=(-0.5, 0.5))

for tag, steps in sorted(board.read(folder).images.items()):
    print(f"{tag:15} steps {min(steps)} to {max(steps)}, each a picture of shape {tuple(steps[0].shape)}")

# %%
board.show(folder)

# %% [markdown]
# The same without TensorBoard, for four pictures:

# %%
plots.before_after(images[:4], torch.sigmoid(images[:4]), titles=("before", "after the sigmoid"))

# %% [markdown]
# **Your turn.** Do the logging yourself with PyTorch's `SummaryWriter`, as you would in any project.
# `writer.add_images(tag, images, step)` takes a whole batch of shape $(N, 3, H, W)$. Use a new step for each batch,
# and close the writer at the end: until then, some of it may not be on disk.

# %% nbgrader={"grade": false, "grade_id": "log_layer_images", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_layer_images(folder, name, layer, batches):
    """Log each batch of images before and after a layer.

    folder: where the event file goes.
    name: for instance "sigmoid"; the tags are then "sigmoid/input" and "sigmoid/output".
    layer: a function on batches of images.
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

# %% nbgrader={"grade": true, "grade_id": "check_log_layer_images", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(log_layer_images, points=4)
### BEGIN HIDDEN TESTS
check(log_layer_images, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## In your own words
#
# Somebody shows you a network of thirty layers with sigmoids in between. Its last layers learn, its first ones
# don't. Explain why in a few sentences, name two changes that would help, and say for each why it helps and what it
# may cost.

# %% [markdown] nbgrader={"grade": true, "grade_id": "explain_vanishing", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# On the way back, the gradient is multiplied by a sigmoid's slope at each layer. That slope is at most a quarter, so
# that after thirty layers hardly anything is left for the first weights. ReLU has slope 1 where it is active, so
# that gradients keep their size; but units can die, for which a leaky ReLU or an ELU is a remedy at a little more
# cost. Shortcuts around layers, or normalising between them, also keep gradients alive; they need more memory and
# time. Careful initial weights help only at the start. (One point for the product of slopes, one for each change
# with its reason, one for a cost.)
# ### END SOLUTION

# %% [markdown]
# ## Traps
#
# - **A bias does not bend anything.** Only the activation makes a layer non-linear.
# - **Softmax before `nn.CrossEntropyLoss`** applies it twice. Give that loss the logits.
# - **`dim` forgotten.** `softmax` over the wrong dimension still returns numbers between 0 and 1: check which sums are 1.
# - **`nan` from large numbers.** Subtract the maximum, row by row, before `exp`.
# - **`torch.where` differentiates both branches.** Keep the other one finite.
# - **`inplace=True`** destroys the input for everybody who shares it.
# - **Dead or only silent?** A unit that is 0 for one picture is doing its job. Dead is 0 for all of them.
# - **Tanh is not $\sin / \cos$.** That is the tangent without *hyperbolic*.

# %% [markdown]
# ## Summary
#
# | activation | range | slope | good for | beware of |
# |---|---|---|---|---|
# | ReLU | $[0, \infty)$ | 0 or 1 | hidden layers, the first choice | dead units |
# | Sigmoid | $(0, 1)$ | at most $\frac14$ | yes or no at the end | vanishing gradients, outputs all positive |
# | Tanh | $(-1, 1)$ | at most 1 | recurrent networks | vanishing gradients |
# | Leaky ReLU | all numbers | $a$ or 1 | when units die | one more number to choose |
# | PReLU | all numbers | learned | the same, without choosing | a few more parameters |
# | RReLU | all numbers | random | small data sets | training and evaluation differ |
# | ELU | $(-\alpha, \infty)$ | smooth for $\alpha = 1$ | outputs balanced around 0 | costs an exponential |
# | Softmax | $(0, 1)$, sums to 1 | a matrix | probabilities of classes | which `dim`; overflow |
# | Log-softmax | $(-\infty, 0]$ | a matrix | the loss, with `nn.NLLLoss` | `log(softmax)` instead |

# %% [markdown]
# ## Where to read on
#
# - Nair and Hinton: *Rectified Linear Units Improve Restricted Boltzmann Machines*, 2010.
# - Glorot and Bengio: *Understanding the Difficulty of Training Deep Feedforward Neural Networks*, 2010.
# - Maas, Hannun and Ng: *Rectifier Nonlinearities Improve Neural Network Acoustic Models*, 2013 (leaky ReLU).
# - He, Zhang, Ren and Sun: *Delving Deep into Rectifiers*, 2015 (PReLU, and how to choose initial weights).
# - Xu, Wang, Chen and Li: *Empirical Evaluation of Rectified Activations in Convolutional Network*, 2015 (RReLU).
# - Clevert, Unterthiner and Hochreiter: *Fast and Accurate Deep Network Learning by Exponential Linear Units*, 2015.
