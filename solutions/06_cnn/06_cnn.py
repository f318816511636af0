# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 The whole net
#
# **What you will do.** Put the layers of the last five chapters together, write what makes a net learn (the loss, its
# gradient, a step downhill, the training loop), go through a whole net by hand once, look at everything that
# TensorBoard can show, and then compete: the best accuracy in a given time.
#
# **What you will learn.** Why the loss is a logarithm; where the famous "probability minus one" comes from; what each
# line of a training loop is for and what happens without it; how to tell that a net is good and not only well
# rehearsed; and why a softmax does not belong at the end of a net that is trained with cross-entropy.
#
# **What you need.** Chapters 01, 02, 04 and 05. About 150 minutes, and every section stands on its own: stop where you
# like and come back.
#
# How it works: write your answer in place of `raise NotImplementedError()`, run the cell, then run the cell with
# `check` under it. Stuck? `hint("cross_entropy")` gives three hints, one at a time.

# %%
import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tutor import board, check, data, explorers, hint, plots, training

# %% [markdown]
# ## From layers to a net
#
# A convolutional net for images nearly always has the same plan. Blocks of **convolution, activation, pooling** come
# first: each makes the maps smaller and more numerous. What they find becomes more and more abstract: edges, stripes
# and colours in the first layer, corners and textures then, parts of things and whole things in the last. After them
# come one or more **linear layers**, which weigh all that was found and give a number for each class: the
# **logits**. (With one number and no classes, the same net does *regression*: it tells how old somebody is, or how
# far away a car.) Everything runs from front to back and nothing back again, which is why it is called a
# *feed-forward* net.
#
# Such nets recognise images, find tumours in medical scans, follow people through videos, and read text and sound,
# which are images with one dimension less. In PyTorch a net is a class: layers are made in `__init__`, where their
# weights are found and can be trained, and used in `forward`, in ordinary Python. The graph of what was computed is
# recorded while it runs, anew each time; that is what *dynamic* means in PyTorch's advertisements, and why a net may
# contain an `if` or a loop.


# %%
class SmallNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, kernel_size=5, padding=2)
        self.norm1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, kernel_size=5, padding=2)
        self.norm2 = nn.BatchNorm2d(16)
        self.hidden = nn.Linear(16 * 8 * 8, 32)
        self.last = nn.Linear(32, 10)

    def features(self, images):
        maps = F.max_pool2d(F.relu(self.norm1(self.conv1(images))), 2)
        maps = F.max_pool2d(F.relu(self.norm2(self.conv2(maps))), 2)
        return F.relu(self.hidden(maps.flatten(start_dim=1)))

    def forward(self, images):
        return self.last(self.features(images))


torch.manual_seed(0)
net = SmallNet()
for name, layer in net.named_children():
    print(f"{name:6} {type(layer).__name__:11} {sum(p.numel() for p in layer.parameters()):6,} parameters")
print("logits for two images:", tuple(net(torch.zeros(2, 3, 32, 32)).shape))

# %%
plots.net(
    [
        ("", (3, 32, 32)),
        ("conv 5, norm, ReLU", (8, 32, 32)),
        ("max pool 2", (8, 16, 16)),
        ("conv 5, norm, ReLU", (16, 16, 16)),
        ("max pool 2", (16, 8, 8)),
        ("flatten", (1024,)),
        ("linear, ReLU", (32,)),
        ("linear", (10,)),
    ]
)

# %% [markdown]
# (The two *batch normalisations* keep the maps at a size that trains well; *The training loop* says more.) Where all
# layers come in a row, `nn.Sequential` does the same with less to write. Mind what is missing at the end: there is no
# softmax. *Find the bug in published code* tells why.
#
# Images come in batches. `images.batches(64)` of this course gives pairs of images and labels; PyTorch's own
# `DataLoader` does so for any data set, here the same images as tensors:

# %%
pictures = data.cifar10(train=True)
test_pictures = data.cifar10(train=False)
images, labels = next(pictures.batches(64))
print("from batches:   ", tuple(images.shape), tuple(labels.shape))

first = TensorDataset(pictures.pixels[:200] / 255, pictures.labels[:200])
loader = DataLoader(first, batch_size=64, shuffle=False, drop_last=False)
print("from DataLoader:", [len(y) for x, y in loader], "equal:", torch.allclose(next(iter(loader))[0], images))

# %% [markdown]
# ## Cross-entropy
#
# How wrong is a net? Softmax makes probabilities of its logits (chapter 01). Look at the one probability that it gives
# to the class that is **right**, and take minus its logarithm. For $N$ images with logits $x$ and right classes $t$,
# the loss is the mean:
#
# $$ p_{n,c} = \frac{e^{x_{n,c}}}{\sum_k e^{x_{n,k}}} \qquad\qquad L = -\frac1N \sum_n \log p_{n,t_n} $$
#
# Sure and right costs nothing, since $\log 1 = 0$. Sure and wrong costs without limit. And it is what statisticians
# would choose: minimising this sum means choosing the net under which the right labels are *most likely*.
#
# **On paper.** Two classes, and the logits $(0, \ln 3)$. The probabilities are $\frac14$ and $\frac34$. What is the
# loss if class 1 is right? If class 0 is right?

# %%
logits = torch.tensor([[0.0, math.log(3)]])
for right in (1, 0):
    print(f"class {right} is right: loss {F.cross_entropy(logits, torch.tensor([right])):.4f}")
print(f"ln(4/3) = {math.log(4 / 3):.4f}, ln 4 = {math.log(4):.4f}")

# %% [markdown]
# PyTorch has it as a function, `F.cross_entropy`, and as a class, `nn.CrossEntropyLoss`, with these arguments:
#
# | argument | default | meaning |
# |---|---|---|
# | `weight` | `None` | how much each class counts, when some are rare |
# | `ignore_index` | -100 | images with this label don't count |
# | `reduction` | `"mean"` | or `"sum"`, or `"none"` for one loss an image |
# | `label_smoothing` | 0.0 | this share of the target is spread over all classes, so that no net becomes too sure |
#
# Both take **logits**, since the softmax is inside. The target is one class for each image or, where that isn't certain,
# a probability for each class. `nn.NLLLoss` is the second half alone and wants logarithms of
# probabilities: `nn.LogSoftmax` followed by `nn.NLLLoss` is the same once more.

# %%
logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 3.0]])
target = torch.tensor([0, 1])
for options in ({}, {"reduction": "sum"}, {"reduction": "none"}, {"label_smoothing": 0.1}, {"ignore_index": 1}):
    print([round(loss, 4) for loss in nn.CrossEntropyLoss(**options)(logits, target).view(-1).tolist()], options)
weighted = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0, 1.0]))(logits, target)
print([round(weighted.item(), 4)], "with class 1 counting three times")
unsure = torch.tensor([[0.9, 0.0, 0.1], [0.0, 1.0, 0.0]])
print([round(nn.CrossEntropyLoss()(logits, unsure).item(), 4)], "with probabilities as the target")
print("the two halves:", round(nn.NLLLoss()(nn.LogSoftmax(dim=1)(logits), target).item(), 4))

# %% [markdown]
# **Your turn.** Write it without PyTorch's own losses and log-softmax; you have written a log-softmax before.
# `logs[torch.arange(N), target]` picks one number from each row.


# %% nbgrader={"grade": false, "grade_id": "cross_entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cross_entropy(logits, target):
    """Return the mean cross-entropy of a batch, a tensor with a single number.

    logits: a tensor of shape (N, classes). target: the right classes, int64 of shape (N,).
    The result is never nan or infinite, however large the logits.
    """
    ### BEGIN SOLUTION
    shifted = logits - logits.amax(dim=1, keepdim=True)
    logs = shifted - torch.log(torch.exp(shifted).sum(dim=1, keepdim=True))
    return -logs[torch.arange(len(target)), target].mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_cross_entropy", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(cross_entropy, points=4)
### BEGIN HIDDEN TESTS
check(cross_entropy, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **What is a good loss?** A number to compare with: the loss of a net that knows nothing and gives every class the same
# probability. A fresh net comes close to it. If your first loss is far above, something is wrong with the net before
# training has even begun.

# %%
torch.manual_seed(0)
print(f"loss of a fresh net, ten classes: {F.cross_entropy(SmallNet()(images), labels):.1f}")

# %% [markdown]
# **Your turn.** What is that loss, for any number of classes?


# %% nbgrader={"grade": false, "grade_id": "loss_of_guessing", "locked": false, "schema_version": 3, "solution": true, "task": false}
def loss_of_guessing(classes):
    """Return the cross-entropy of a net that gives every class the same probability.

    classes: a whole number. Returns a number.
    """
    ### BEGIN SOLUTION
    return math.log(classes)  # minus the logarithm of 1 / classes
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_loss_of_guessing", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(loss_of_guessing, points=2)
### BEGIN HIDDEN TESTS
check(loss_of_guessing, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **The gradient.** Training needs to know how the loss changes with each logit. For one image with right class $t$,
# $L = -x_t + \log \sum_k e^{x_k}$, so that
#
# $$ \frac{\partial L}{\partial x_c} = \frac{e^{x_c}}{\sum_k e^{x_k}} - \delta_{ct} = p_c - \delta_{ct} $$
#
# where $\delta_{ct}$ is 1 for the right class and 0 for all others: **the probabilities, and 1 less at the right
# class**. Softmax and logarithm are complicated each on its own; together, nearly everything cancels. For the mean over
# a batch, divide by $N$.
#
# **On paper.** The logits $(0, \ln 3)$ again, with class 1 right: what is the gradient? Which way would the logits have
# to move?

# %%
logits = torch.tensor([[0.0, math.log(3)]], requires_grad=True)
F.cross_entropy(logits, torch.tensor([1])).backward()
print("gradient:", [round(number, 4) for number in logits.grad[0].tolist()])

# %% [markdown]
# Compare with a squared error of the probabilities: there, a factor $p\,(1 - p)$ remains, and a net that is sure of
# something wrong hardly learns. Here its gradient is close to 1, the largest there is.
#
# **Your turn.** Write that gradient, for a batch, without autograd. `torch.softmax` is allowed.


# %% nbgrader={"grade": false, "grade_id": "cross_entropy_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cross_entropy_backward(logits, target):
    """Return (grad_logits,), the gradient of the mean cross-entropy.

    logits: a tensor of shape (N, classes). target: the right classes, int64 of shape (N,).
    """
    ### BEGIN SOLUTION
    gradient = torch.softmax(logits, dim=1)
    gradient[torch.arange(len(target)), target] -= 1
    return (gradient / len(target),)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_cross_entropy_backward", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(cross_entropy_backward, points=4)
### BEGIN HIDDEN TESTS
check(cross_entropy_backward, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## A step downhill
#
# The gradient points to where the loss *grows* fastest. A step of **gradient descent** goes the other way, by a small
# multiple of it, the **learning rate** $\eta$ (`lr`). Every weight and every bias of the net takes the same kind of
# step:
#
# $$ w \leftarrow w - \eta \, \frac{\partial L}{\partial w} $$
#
# **On paper.** $L = w^2$ has the gradient $2w$. Begin at $w = 1$. Where do you get to in one step with $\eta = 0.1$?
# With $\eta = 0.5$, with $\eta = 1$, and with $\eta = 1.1$? The next cell takes eight steps with each.

# %%
for rate in (0.1, 0.5, 1.0, 1.1):
    w, way = 1.0, []
    for _ in range(8):
        w -= rate * 2 * w
        way.append(f"{w:.2f}")
    print(f"lr {rate}:", " ".join(way))

# %% [markdown]
# Too small a rate is slow, too large a one jumps across the valley and out of it; that is what a loss of `nan` after a
# few steps usually means. A real net has thousands of valleys, but the same rule.
#
# *Stochastic* gradient descent (SGD) takes the gradient of a batch in place of that of all images: less exact, but
# hundreds of steps in the time of one. `torch.optim.SGD` has more to offer:
#
# | argument | default | meaning |
# |---|---|---|
# | `lr` | 0.001 | the learning rate |
# | `momentum` | 0 | the step keeps this share of the last one, like a ball that rolls: $v \leftarrow \mu v + g$, then $w \leftarrow w - \eta v$ |
# | `dampening` | 0 | leaves out this share of the new gradient when it is added to the momentum |
# | `nesterov` | `False` | look ahead to where momentum will lead, and take the gradient there |
# | `weight_decay` | 0 | pulls each weight a little towards 0 |
# | `maximize` | `False` | goes uphill instead |
#
# `torch.optim.Adam` scales each weight's step by the size of its own recent gradients. It forgives a badly chosen rate
# more easily.

# %%
for options in (
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "dampening": 0.9},
    {"momentum": 0.9, "nesterov": True},
    {"weight_decay": 1.0},
    {"maximize": True},
):
    w = torch.tensor([1.0], requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1, **options)
    way = []
    for _ in range(4):
        optimizer.zero_grad()
        (w**2).sum().backward()
        optimizer.step()
        way.append(f"{w.item():.3f}")
    print(" ".join(way), options)

# %% [markdown]
# **Your turn.** One plain step, for all parameters of a net.


# %% nbgrader={"grade": false, "grade_id": "sgd_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sgd_step(parameters, gradients, lr):
    """Return the parameters after one step of gradient descent, as a list of new tensors.

    parameters: a list of tensors. gradients: a list of tensors of the same shapes, in the
    same order. lr: the learning rate, a number. The tensors that are given stay as they are.
    """
    ### BEGIN SOLUTION
    return [parameter - lr * gradient for parameter, gradient in zip(parameters, gradients, strict=True)]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_sgd_step", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(sgd_step, points=3)
### BEGIN HIDDEN TESTS
check(sgd_step, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## A net to a table of shapes
#
# Papers describe nets by a table: what leaves each layer, and how many parameters it has. The table tells all that you
# need, if you can count. A convolution from $C$ to $O$ channels with a $k \times k$ kernel has $O\,(C k^2 + 1)$
# parameters, a linear layer from $n$ to $m$ has $m\,(n + 1)$; the rest has none.
#
# | layer | leaves, for one image | parameters |
# |---|---|---|
# | (the image) | $3 \times 32 \times 32$ | |
# | convolution, $3 \times 3$ | $16 \times 32 \times 32$ | 448 |
# | ReLU | $16 \times 32 \times 32$ | 0 |
# | max pooling, $2 \times 2$ | $16 \times 16 \times 16$ | 0 |
# | convolution, $3 \times 3$ | $32 \times 16 \times 16$ | 4,640 |
# | ReLU | $32 \times 16 \times 16$ | 0 |
# | max pooling, $2 \times 2$ | $32 \times 8 \times 8$ | 0 |
# | flatten | 2048 | 0 |
# | linear | 64 | 131,136 |
# | ReLU | 64 | 0 |
# | linear | 10 | 650 |
#
# **On paper.** Where do the 448 and the 131,136 come from? Nearly all parameters are in one layer: which one, and why?

# %%
print("first convolution:", 16 * (3 * 3 * 3 + 1), " second:", 32 * (16 * 3 * 3 + 1))
print("first linear layer:", 64 * (2048 + 1), " last:", 10 * (64 + 1))
print(f"share of the first linear layer: {64 * 2049 / (448 + 4640 + 131136 + 650):.0%}")

# %% [markdown]
# **Try it.** Stack layers, and see shape, parameters and how many pixels each number sees, line by line. Tick *predict
# first* to say how many inputs the linear layer has before you see it.

# %%
explorers.net()

# %% [markdown]
# **Your turn.** Build that net, as an `nn.Sequential` or as a class, and return it. How much padding keeps a size of 32?


# %% nbgrader={"grade": false, "grade_id": "build_cnn", "locked": false, "schema_version": 3, "solution": true, "task": false}
def build_cnn():
    """Return a new net, an nn.Module, that has the layers of the table.

    It takes images of shape (N, 3, 32, 32) and returns logits of shape (N, 10).
    """
    ### BEGIN SOLUTION
    return nn.Sequential(
        nn.Conv2d(3, 16, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 8 * 8, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_build_cnn", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
check(build_cnn, points=5)
### BEGIN HIDDEN TESTS
check(build_cnn, points=5, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## The whole net by hand
#
# **Backpropagation** is the chain rule, applied to the layers in the opposite order. Each layer gets the gradient of
# what it has put out, and answers two questions: what is the gradient of my own weights, and what do I hand on to the
# layer before me? You have written all the parts in earlier chapters:
#
# | forward | what it keeps | backward |
# |---|---|---|
# | convolution $z = w * x + b$ | $x$ | $b$: the sum of the gradient over images and places; $w$: gradient times window, summed likewise |
# | ReLU $a = \max(0, z)$ | where $z > 0$ | through where $z > 0$, and 0 elsewhere |
# | max pooling | where the maximum was | everything to the maximum, nothing to the others |
# | flatten | the shape | back to that shape |
# | linear $y = f W^{\mathsf T} + b$ | $f$ | $b$: the sum over images; $W$: `grad.T @ f`; on to $f$: `grad @ W` |
# | cross-entropy | $p$ | $(p - \text{1 at the right class}) / N$ |
#
# **On paper.** A net so small that it fits on a page: one image of $2 \times 2$ pixels, a $1 \times 1$ kernel with weight
# 1 and bias 0, ReLU, max pooling, and a linear layer with two classes whose weights are 1 and 0. The image holds 1, 2, 3
# and $\ln 9$; which is the largest? Class 0 is right. Go through the net, then back: the logits are $(3, 0)$, and with
# $p$ for the probability of class 1, all six gradients can be told in terms of $p$.

# %%
image = torch.tensor([[[[1.0, 2.0], [3.0, math.log(9)]]]])
weights = [torch.ones(1, 1, 1, 1), torch.zeros(1), torch.tensor([[1.0], [0.0]]), torch.zeros(2)]
weights = [weight.requires_grad_() for weight in weights]
conv_weight, conv_bias, linear_weight, linear_bias = weights
maps = F.max_pool2d(F.relu(F.conv2d(image, conv_weight, conv_bias)), 2)
logits = F.linear(maps.flatten(1), linear_weight, linear_bias)
F.cross_entropy(logits, torch.tensor([0])).backward()

p = torch.softmax(logits, dim=1)[0, 1].item()
print(f"p = {p:.4f}, 3 p = {3 * p:.4f}")
for name, weight in zip(("kernel", "its bias", "linear weight", "its bias"), weights, strict=True):
    print(f"{name:13}", [round(number, 4) for number in weight.grad.flatten().tolist()])

# %% [markdown]
# **Your turn.** Once in a lifetime, write all of it: the net *convolution (no padding, stride 1), ReLU, max pooling 2,
# flatten, linear, cross-entropy*, forward and back, without autograd. `F.conv2d`, `F.max_pool2d` with
# `return_indices=True`, `F.max_unpool2d` and `F.unfold` are allowed. When the convolution's result has an odd size,
# pooling leaves out its last row or column, and nothing comes back there.


# %% nbgrader={"grade": false, "grade_id": "cnn_gradients", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cnn_gradients(input, target, conv_weight, conv_bias, linear_weight, linear_bias):
    """Return the gradients of the loss with respect to the four parameters, as a tuple in
    the order of the arguments: (conv_weight, conv_bias, linear_weight, linear_bias).

    input: images of shape (N, C, H, W). target: the right classes, int64 of shape (N,).
    conv_weight: (maps, C, kh, kw). conv_bias: (maps,).
    linear_weight: (classes, features). linear_bias: (classes,).
    """
    ### BEGIN SOLUTION
    sums = F.conv2d(input, conv_weight, conv_bias)
    active = F.relu(sums)
    pooled, places = F.max_pool2d(active, 2, return_indices=True)
    features = pooled.flatten(start_dim=1)
    logits = features @ linear_weight.T + linear_bias

    grad = torch.softmax(logits, dim=1)
    grad[torch.arange(len(target)), target] -= 1
    grad = grad / len(target)
    grad_linear_weight, grad_linear_bias = grad.T @ features, grad.sum(dim=0)
    grad = (grad @ linear_weight).view(pooled.shape)
    grad = F.max_unpool2d(grad, places, 2, output_size=active.shape[2:])
    grad = grad * (sums > 0)
    windows = F.unfold(input, conv_weight.shape[2:])  # (N, C * kh * kw, places)
    grad_conv_weight = torch.einsum("nop,nkp->ok", grad.flatten(start_dim=2), windows)
    return grad_conv_weight.view(conv_weight.shape), grad.sum(dim=(0, 2, 3)), grad_linear_weight, grad_linear_bias
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_cnn_gradients", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
check(cnn_gradients, points=6)
### BEGIN HIDDEN TESTS
check(cnn_gradients, points=6, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# That is what `loss.backward()` does, for any net: it walks back through the graph that was recorded on the way forward,
# and leaves in each parameter's `.grad` what you have just computed.

# %% [markdown]
# ## The training loop
#
# One step of training has five parts, always the same:
#
# ```python
# optimizer.zero_grad()                    # 1. forget the old gradients
# logits = model(images)                   # 2. forward
# loss = F.cross_entropy(logits, labels)   # 3. how wrong?
# loss.backward()                          # 4. backward: gradients into every .grad
# optimizer.step()                         # 5. a step downhill
# ```
#
# An **epoch** goes over all images once, batch by batch. Here is one step on one batch, with the loss before and after:

# %%
torch.manual_seed(0)
net = SmallNet()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
before = F.cross_entropy(net(images), labels)
optimizer.zero_grad()
before.backward()
optimizer.step()
after = F.cross_entropy(net(images), labels)
print("the loss of this batch is smaller after the step:", bool(after < before))

# %% [markdown]
# **Why forget?** `backward()` *adds* to `.grad`. That is meant for nets that use a weight twice, and for batches too
# large for memory. Forgotten, each step is made with the sum of all gradients so far. A widely read tutorial steps with
# `param -= learning_rate * param.grad` under `torch.no_grad()`, which is right, and never clears a gradient, which isn't.

# %%
w = torch.tensor([1.0], requires_grad=True)
for times in (1, 2, 3):
    (w**2).sum().backward()
    print(f"after backward() number {times}: w.grad = {w.grad.item()}")

# %% [markdown]
# **Training and judging differ.** Some layers behave in two ways. *Dropout* silences random units while a net is
# trained, and none when it is judged. *Batch normalisation* (`nn.BatchNorm2d`) shifts and scales each map to mean 0 and
# deviation 1, and then by two numbers that are learned, which allows much larger steps: with the mean and deviation of
# the batch while training, and with averages that it has gathered on the way when judging. `model.train()` and `model.eval()` switch between the two. Neither has anything to
# do with gradients: those are switched off by `with torch.no_grad():`, which saves time and memory.

# %%
torch.manual_seed(0)
layers = {"dropout": nn.Dropout(0.5), "batch norm": nn.BatchNorm1d(4)}
row = torch.tensor([[1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0]])
for name, layer in layers.items():
    same = torch.equal(layer.train()(row), row), torch.equal(layer.eval()(row), row)
    print(f"{name}: leaves its input as it is while training: {same[0]}, when judging: {same[1]}")

# %% [markdown]
# (In the last line, the average that batch norm has gathered is no longer the one that it began with, so that the input
# is changed when judging as well, but in another way, and the same way for every batch.)
#
# **Your turn.** Write an epoch. Return the mean loss **for an image**: the last batch may be smaller than the rest, and
# then it counts for less. Whoever calls you has chosen the optimizer; `batches` may be a list or anything else that one
# can loop over once.


# %% nbgrader={"grade": false, "grade_id": "train_one_epoch", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_one_epoch(model, optimizer, batches):
    """Train a model on each batch once, in training mode, and return the mean loss, a number.

    model: an nn.Module that returns logits. optimizer: one of torch.optim, for its
    parameters. batches: pairs (images, labels). The loss is the cross-entropy; each batch's
    is taken before its step, and counts as often as the batch has images.
    """
    ### BEGIN SOLUTION
    model.train()
    total, seen = 0.0, 0
    for images, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        seen += len(labels)
    return total / seen
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_train_one_epoch", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
check(train_one_epoch, points=6)
### BEGIN HIDDEN TESTS
check(train_one_epoch, points=6, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# The course has such a loop too, `training.train`, with a few things more: a progress bar, a learning rate that rises
# first and then falls, images that are moved and mirrored a little, logs for TensorBoard, and a GPU where there is one
# (`model.to("cuda")` moves a model there, and every batch has to follow). The sections below use it, so that they work
# without your answers.

# %% [markdown]
# ## How good is it
#
# The loss is for training; people want to know how many images are right. The net says the class with the largest
# logit, and the **accuracy** is the share of images for which that is the right one. Softmax is not needed for it: it
# changes no order.
#
# **On paper.** Three images, three classes, logits $(2, 0, 1)$, $(0, 1, 3)$ and $(1, 4, 0)$, and the right classes 0, 1, 1.
# What is the accuracy?

# %%
logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 3.0], [1.0, 4.0, 0.0]])
target = torch.tensor([0, 1, 1])
print("the net says:", logits.argmax(dim=1).tolist(), "right is:", target.tolist())


# %% nbgrader={"grade": false, "grade_id": "accuracy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def accuracy(logits, target):
    """Return the share of images whose right class has the largest logit, from 0 to 1.

    logits: a tensor of shape (N, classes). target: the right classes, int64 of shape (N,).
    """
    ### BEGIN SOLUTION
    return (logits.argmax(dim=1) == target).double().mean().item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_accuracy", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(accuracy, points=2)
### BEGIN HIDDEN TESTS
check(accuracy, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **On which images?** A net can learn its training images by heart. What counts is how it does on images that it has
# never seen: the **test images**, which must never be used for training. With few images and many rounds, the gap
# between the two is easy to see; it is called **overfitting**.

# %%
few = replace(pictures, pixels=pictures.pixels[:200], labels=pictures.labels[:200])
torch.manual_seed(0)
net = SmallNet()
training.train(net, few, epochs=20, batch_size=50, lr=0.1, crop=0, flip=False)
seen, unseen = training.evaluate(net, few), training.evaluate(net, test_pictures)
print("more than 90 % of the 200 images it has trained on are right:", seen.accuracy > 0.9)
print("of new ones, at least 20 % fewer:", unseen.accuracy < seen.accuracy - 0.2)

# %% [markdown]
# Against it help: more images, changed images (moved, mirrored: *augmentation*), fewer parameters, dropout, weight decay,
# and stopping in time. Now with all training images, moved and mirrored, and two rounds only:

# %%
folder = board.run("06_cnn")  # what is measured on the way goes there, for TensorBoard
torch.manual_seed(0)
net = SmallNet()
history = training.train(net, pictures, epochs=2, batch_size=64, lr=0.1, test=test_pictures, folder=folder)
result = training.evaluate(net, test_pictures)
print(history.steps, "steps; the loss fell:", bool(history.losses[-10:].mean() < history.losses[:10].mean()))
print("more than six of ten test images are right:", result.accuracy > 0.6)

# %% [markdown]
# **What is taken for what?** A **confusion matrix** counts it: a row for each class that is right, a column for each that
# the net says. The diagonal is what is right.
#
# **On paper.** The three images above, with classes 0, 1 and 2: fill in the table, then look.

# %%
result_on_paper = torch.tensor([[1, 0, 0], [0, 1, 1], [0, 0, 0]])
plots.confusion_matrix(result_on_paper)


# %% nbgrader={"grade": false, "grade_id": "confusion", "locked": false, "schema_version": 3, "solution": true, "task": false}
def confusion(logits, target, classes=10):
    """Return how often each class (row) was taken for each class (column).

    logits: a tensor of shape (N, classes). target: the right classes, int64 of shape (N,).
    Returns a tensor of counts, of shape (classes, classes).
    """
    ### BEGIN SOLUTION
    counts = torch.zeros(classes, classes, dtype=torch.int64)
    for right, said in zip(target, logits.argmax(dim=1), strict=True):
        counts[right, said] += 1
    return counts
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_confusion", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check(confusion, points=3)
### BEGIN HIDDEN TESTS
check(confusion, points=3, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# The same for the net that was trained above, on all test images. Which pairs does it mix up, and would you?

# %%
plots.confusion_matrix(result.confusion, test_pictures.classes)

# %% [markdown]
# **All your own.** Now your net, trained by your loop and judged by your function. Run this cell when you have written
# the three of them.


# %%
def all_your_own(epochs=3):
    torch.manual_seed(0)
    try:
        own = build_cnn()
        optimizer = torch.optim.SGD(own.parameters(), lr=0.05, momentum=0.9)
        losses, accuracies = [], []
        for epoch in range(epochs):
            batches = pictures.batches(64, shuffle=True, seed=epoch, limit=80)
            losses.append(train_one_epoch(own, optimizer, batches))
            own.eval()
            with torch.no_grad():
                shares = [accuracy(own(x), y) for x, y in test_pictures.batches(500, limit=2)]
            accuracies.append(sum(shares) / len(shares))
    except NotImplementedError:
        print("Write build_cnn, train_one_epoch and accuracy first, then run this cell again.")
        return None
    print("the loss fell in every epoch:", losses == sorted(losses, reverse=True))
    return plots.training_curves(losses, accuracies, chance=1 / 10)


all_your_own()

# %% [markdown]
# ## All of TensorBoard
#
# So far TensorBoard has shown pictures. For a net in training there is more. Everything goes into one run folder, through
# PyTorch's `SummaryWriter`; `board.writer(folder)` is one.
#
# **Scalars** are numbers that change with the step: losses, accuracies, learning rates. `writer.add_scalar(tag, number,
# step)` adds one. A tag with a slash, such as `loss/train`, puts what stands before it into one group. `training.train`
# logs them by itself if it is given a folder, as it was above (*On which images?*):

# %%
for tag, steps in sorted(board.read(folder).scalars.items()):
    print(f"{tag:14} {len(steps):3} numbers, the last at step {max(steps)}")

# %%
board.show(folder, tab="scalars")

# %% [markdown]
# **Your turn.** Log a training yourself, one step an epoch. The numbers after the first epoch are step 1; step 0 would be
# the net before any training.


# %% nbgrader={"grade": false, "grade_id": "log_training", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_training(folder, losses, accuracies):
    """Log two curves: the tags are "loss/train" and "accuracy/test", the steps 1, 2, 3, ...

    folder: where the event file goes. losses, accuracies: lists of numbers, one an epoch.
    Returns nothing; the writer is closed at the end.
    """
    from torch.utils.tensorboard import SummaryWriter

    ### BEGIN SOLUTION
    with SummaryWriter(folder) as writer:
        for epoch, (loss, share) in enumerate(zip(losses, accuracies, strict=True), start=1):
            writer.add_scalar("loss/train", loss, epoch)
            writer.add_scalar("accuracy/test", share, epoch)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_log_training", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check(log_training, points=4)
### BEGIN HIDDEN TESTS
check(log_training, points=4, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# **Histograms** show all numbers of a tensor at once, and how they change: weights that all shrink to 0, units that die,
# gradients that vanish. `writer.add_histogram(tag, tensor, step)` adds one.

# %%
torch.manual_seed(0)
untrained = SmallNet()  # the same seed, so the very weights that training began with
with board.writer(folder) as writer:
    for when, model, step in (("before", untrained, 0), ("after", net, history.steps)):
        for name, parameter in model.named_parameters():
            writer.add_histogram(f"{when}/{name}", parameter, step)
found = board.read(folder).histograms
for tag in sorted(found):
    (histogram,) = found[tag].values()
    print(f"{tag:21} {histogram.number:5} numbers")
pairs = zip(net.parameters(), untrained.parameters(), strict=True)
wider = [bool(now.std() > then.std()) for now, then in pairs if now.dim() > 1]
print("weights are spread wider than before training, layer by layer:", wider)

# %%
board.show(folder, tab="histograms")

# %% [markdown]
# **The graph** shows which layer's result goes where, as PyTorch has recorded it. `board.log_graph` calls
# `writer.add_graph`; click on a box of the picture to open it.

# %%
board.log_graph(net, images[:1], folder=folder)
for node in board.graph(folder):
    print(f"{node.operator:12} {node.module:27} {node.shape}")

# %%
board.show(folder, tab="graphs")

# %% [markdown]
# **Kernels.** The first layer's kernels have three channels, so that they can be looked at as small pictures. After long
# training on many photos they turn into edges, stripes and spots of colour, whatever the net is for; after two rounds,
# some begin to. Grey is 0:

# %%
weight = net.conv1.weight.detach()
as_pictures = 0.5 + 0.5 * weight / weight.abs().amax(dim=(1, 2, 3), keepdim=True)
with board.writer(folder) as writer:
    writer.add_images("kernels", as_pictures, history.steps)
plots.images(as_pictures, columns=8)

# %% [markdown]
# **Feature maps** are what a layer makes of an image. They are not colours: `board.feature_maps` lays them side by side,
# one row an image, and mixes nothing (chapter 02).

# %%
net.eval()  # from here on it is judged, not trained
with torch.no_grad():
    maps = F.relu(net.norm1(net.conv1(images[:4])))
with board.writer(folder) as writer:
    writer.add_image("conv1", board.feature_maps(maps, scale="batch"), history.steps)
print("maps:", tuple(maps.shape), " as one picture:", tuple(board.read(folder).images["conv1"][history.steps].shape))
plots.images((maps[0] / maps[0].max()).unsqueeze(1), columns=8)

# %%
board.show(folder, tab="images")

# %% [markdown]
# **Embeddings.** The layer before the last describes each image by 32 numbers: a place in a space of 32 dimensions. If
# training has done its work, images of one class lie together there, so that the last layer can part them with planes.
# TensorBoard's projector turns such a cloud before your eyes; choose *t-SNE* or *UMAP* at the left, and colour by label.

# %%
some, their_labels = next(test_pictures.batches(200))
with torch.no_grad():
    places = net.features(some)
names = [test_pictures.classes[label] for label in their_labels]
with board.writer(folder) as writer:
    writer.add_embedding(places, metadata=names, label_img=some, global_step=history.steps, tag="hidden")
embedding = board.embeddings(folder)["hidden"][history.steps]
print(tuple(embedding.vectors.shape), "first labels:", embedding.labels[:4])

distances = torch.cdist(places, places).fill_diagonal_(float("inf"))
same = (their_labels[distances.argmin(dim=1)] == their_labels).double().mean()
print("the nearest neighbour of most images is of the same class (by chance: 1 in 10):", bool(same > 0.5))

# %%
board.show(folder, tab="projector")

# %% [markdown]
# ## The challenge
#
# **The best accuracy within a budget.** You design a net. `training.challenge` trains it, counts how many test images it
# gets right, and tells which tier that makes. The rules: an `nn.Module` that takes images of shape (N, 3, 32, 32) with
# values from 0 to 1 and returns ten logits for each; no weights from elsewhere; the training is the same for everybody.
#
# There are two forms. In the large one the budget is time, on whatever images this computer has, with tiers at 40, 50, 60,
# 70, 75 and 80 % for CIFAR-10: try `training.challenge(challenge_net(), seconds=60)` with your own net, and with more
# seconds when you have time to spare. The small one is graded, and gives everybody the same points: the drawn sample, and
# a budget of 60 thousand million **multiplications** in place of seconds. Its tiers begin at 60, 75, 85 and 95 %.
#
# So what does a net cost? Each output of a convolution takes $C k^2$ multiplications, each output of a linear layer as
# many as there are inputs. A net that costs twice as many sees each image half as often: cheap is half the victory.
#
# **On paper.** A $3 \times 3$ convolution from 3 to 16 channels on $32 \times 32$ pixels, with padding 1: how many
# multiplications? With stride 2? And the second convolution of the table above, on $16 \times 16$ pixels?

# %%
for what, layer, shape in (
    ("3 to 16 channels, 32 by 32", nn.Conv2d(3, 16, 3, padding=1), (3, 32, 32)),
    ("the same with stride 2", nn.Conv2d(3, 16, 3, padding=1, stride=2), (3, 32, 32)),
    ("16 to 32 channels, 16 by 16", nn.Conv2d(16, 32, 3, padding=1), (16, 16, 16)),
    ("linear, 2048 to 64", nn.Sequential(nn.Flatten(), nn.Linear(2048, 64)), (32, 8, 8)),
):
    outputs, each = layer(torch.zeros(1, *shape)).numel(), next(layer.parameters())[0].numel()
    print(f"{what:28} {outputs:6,} outputs x {each:5,} = {outputs * each:7,}")
cost, budget = training.multiplications(SmallNet(), pictures), 60e9
print(f"SmallNet, all of it: {cost:,}")
print(f"The way back costs twice as many. So it sees each of 5,000 images {budget / (3 * cost * 5000):.1f} times.")

# %% [markdown]
# What helps? Batch normalisation after each convolution lets a net learn several times as fast. Making the image small
# early, by a stride or by pooling, saves most of the cost; channels that double when the size halves make up for it. And a
# net that sees each image more often beats a larger one that hasn't had the time. Try things out with
# `training.small_challenge(your_net)`, which is what the check does; it takes a few seconds.
#
# **Your turn.**


# %% nbgrader={"grade": false, "grade_id": "challenge_net", "locked": false, "schema_version": 3, "solution": true, "task": false}
def challenge_net():
    """Return a new net, an nn.Module, that learns as much as it can within the budget.

    It takes images of shape (N, 3, 32, 32) and returns logits of shape (N, 10).
    """
    ### BEGIN SOLUTION
    return nn.Sequential(
        nn.Conv2d(3, 16, kernel_size=4, stride=2, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, kernel_size=3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 4 * 4, 10),
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_challenge_net", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
check(challenge_net, points=8)
### BEGIN HIDDEN TESTS
check(challenge_net, points=8, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Find the bug in published code
#
# This net can be found in more than one tutorial, with the advice that *only the last layer uses Softmax*. It is then
# trained with `nn.CrossEntropyLoss`:
#
# ```python
# model = nn.Sequential(
#     nn.Linear(128, 64), nn.ReLU(),
#     nn.Linear(64, 32), nn.ReLU(),
#     nn.Linear(32, 10),
#     nn.Softmax(dim=1),
# )
# ```
#
# Nothing crashes, and the loss even falls. But the loss applies a softmax of its own, to numbers between 0 and 1. With ten
# classes, the best it can see is one 1 and nine 0s. The next cell shows what that costs, and then how slowly such a net
# learns beside the same net without:

# %%
perfect = torch.zeros(1, 10)
perfect[0, 3] = 100.0
target = torch.tensor([3])
print(f"sure and right, logits into the loss:   {F.cross_entropy(perfect, target):.2f}")
print(f"sure and right, softmax first:          {F.cross_entropy(perfect.softmax(1), target):.2f}")
print(f"what guessing costs:                    {math.log(10):.2f}")

results = {}
for name, last in {"without": nn.Identity(), "with softmax": nn.Softmax(dim=1)}.items():
    torch.manual_seed(0)
    model = nn.Sequential(SmallNet(), last)
    training.train(model, pictures, epochs=1, batch_size=64, lr=0.1, label_smoothing=0.0)
    results[name] = training.evaluate(model, test_pictures).accuracy
print("after one round, more test images are right without it:", results["without"] > results["with softmax"])

# %% [markdown]
# Softmax belongs *after* the net, when somebody wants to see probabilities. In the net, and before
# `nn.CrossEntropyLoss`, there are logits.
#
# **Your turn.** Here is the last layer of that net with its loss, as it was published:
#
# ```python
# scores = F.linear(features, weight, bias)
# probabilities = F.softmax(scores, dim=1)
# return F.cross_entropy(probabilities, target)
# ```
#
# Mend it with the smallest change.


# %% nbgrader={"grade": false, "grade_id": "mend_softmax_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mend_softmax_loss(features, weight, bias, target):
    """Return the mean cross-entropy of a linear layer's scores, by a mended form of the
    published lines.

    features: a tensor of shape (N, inputs). weight: (classes, inputs). bias: (classes,).
    target: the right classes, int64 of shape (N,). Here PyTorch's losses are allowed.
    """
    ### BEGIN SOLUTION
    scores = F.linear(features, weight, bias)
    return F.cross_entropy(scores, target)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_mend_softmax_loss", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check(mend_softmax_loss, points=2)
### BEGIN HIDDEN TESTS
check(mend_softmax_loss, points=2, hidden=True)
### END HIDDEN TESTS

# %% [markdown]
# ## In your own words
#
# Somebody trains a net for fifty epochs. The training loss falls all the way down to 0.01. The test accuracy rises to
# 70 % in ten epochs, and has stayed there ever since, while the *test loss* has been growing for forty epochs. What is
# going on? How can the test loss grow while the accuracy stays? Name two things to try, and say for each why it may help
# and what it may cost.

# %% [markdown] nbgrader={"grade": true, "grade_id": "explain_training", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The net overfits: since epoch ten it has been learning its training images by heart, which does nothing for new ones.
# The loss looks at how sure the net is, the accuracy only at which class is the largest. On images that it gets wrong,
# the net becomes surer and surer, and each of these costs minus the logarithm of an ever smaller probability; the largest
# class stays the same. Stopping after ten epochs costs nothing and saves time, but needs images to watch that are neither
# for training nor for the final test. Augmentation, dropout, weight decay or a smaller net make it harder to learn by
# heart, at the cost of slower training or, if overdone, a worse fit; more images help most and cost most. (One point for
# overfitting, one for loss against accuracy, one for each thing to try with its reason and cost.)
# ### END SOLUTION

# %% [markdown]
# ## Traps
#
# - **Softmax before `nn.CrossEntropyLoss`** applies it twice. The loss wants logits.
# - **`zero_grad` forgotten.** Gradients add up from step to step.
# - **`step` before `backward`**, or cleared in between: nothing is learned, and nothing complains.
# - **`model.eval()` forgotten** when judging, or `model.train()` when going on. Neither switches gradients off; that is
#   `torch.no_grad()`.
# - **Keeping `loss` itself** in a list keeps the whole graph in memory. Keep `loss.item()`.
# - **The last batch** is smaller: a mean of means is not the mean.
# - **Layers in a plain list** are not found: no parameters, nothing trained. Use `nn.ModuleList` or `nn.Sequential`.
# - **`counts[target, said] += 1`** with tensors counts each pair once only.
# - **Judging on training images** measures memory.
# - **A first loss far above $\ln(\text{classes})$**: look at the net before you train it.

# %% [markdown]
# ## Summary
#
# | part | formula or line | remember |
# |---|---|---|
# | loss | $-\frac1N \sum_n \log p_{n,t_n}$ | takes logits; $\ln(\text{classes})$ for guessing |
# | its gradient | $(p - \text{1 at the right class}) / N$ | softmax and logarithm cancel |
# | a step | $w \leftarrow w - \eta\,g$ | too large a rate leaves the valley |
# | the loop | clear, forward, loss, backward, step | in this order |
# | judging | `eval()`, `no_grad()`, test images | accuracy, confusion matrix |
#
# | TensorBoard | call | shows |
# |---|---|---|
# | scalars | `add_scalar(tag, number, step)` | curves |
# | histograms | `add_histogram(tag, tensor, step)` | how all numbers of a tensor are spread |
# | graph | `board.log_graph`, `add_graph(model, images)` | what goes where |
# | images | `add_images(tag, batch, step)` | kernels, feature maps side by side |
# | projector | `add_embedding(vectors, labels, images)` | which images a net takes to be alike |

# %% [markdown]
# ## Where to read on
#
# - Rumelhart, Hinton and Williams: *Learning Representations by Back-propagating Errors*, 1986.
# - LeCun, Bottou, Bengio and Haffner: *Gradient-Based Learning Applied to Document Recognition*, 1998 (LeNet).
# - Krizhevsky, Sutskever and Hinton: *ImageNet Classification with Deep Convolutional Neural Networks*, 2012 (AlexNet;
#   see its picture of first-layer kernels).
# - Zeiler and Fergus: *Visualizing and Understanding Convolutional Networks*, 2014.
# - Kingma and Ba: *Adam: A Method for Stochastic Optimization*, 2015.
# - Ioffe and Szegedy: *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*, 2015.
# - He, Zhang, Ren and Sun: *Deep Residual Learning for Image Recognition*, 2016.
# - Smith and Topin: *Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates*, 2017.
