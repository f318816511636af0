"""Jupyter kernels that start in a fraction of a second, because a warm process forks them.

Nearly all that it takes to start a kernel of this course is importing torch. Here one process, the zygote, imports it
(and numpy, matplotlib, ipykernel and ``tutor`` itself) once, and forks a kernel at each request:

    owner (nbclient, nbval, JupyterLab)  ── starts ──▶  zygote  ── forks ──▶  keeper  ── forks ──▶  kernel
            └──────────────── one connection a kernel: request, signals, exit code ───────┘

jupyter_client finds it through the kernelspec ``tutor-warm``, which names the kernel provisioner of the same name:

- nbclient: ``NotebookClient(notebook, km=AsyncKernelManager(kernel_name="tutor-warm", kernel_spec_manager=manager()))``
- nbval and everything else that starts kernels by name: ``JUPYTER_PATH=<search_path()>`` in the environment, or
  ``install(prefix)`` once; then ``pytest --nbval --nbval-kernel-name=tutor-warm`` (nbval refuses it beside
  ``--nbval-current-env``, so in this checkout with ``-o addopts=`` before it)

What differs from a kernel of ipykernel's own: whatever Python code the zygote has imported stays as it was then (after an
edit of ``tutor`` start the program anew); string hashes are the same in all kernels of a zygote; and BLAS under
numpy has one thread, while torch has as many as the kernel's environment asks for. Linux only.
"""

from tutor.grading.warm.errors import WarmError
from tutor.grading.warm.kernelspec import KERNEL_NAME, install, manager, search_path

__all__ = ["KERNEL_NAME", "WarmError", "install", "manager", "search_path"]
