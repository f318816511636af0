"""The kernelspec ``tutor-warm``: where it is, how it is installed, and how it is used without being installed."""

import shutil
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory

from tutor.grading.warm.errors import WarmError

KERNEL_NAME = "tutor-warm"


def search_path() -> Path:
    """Return the folder that, in ``$JUPYTER_PATH``, makes every Jupyter program find the kernel."""
    return Path(__file__).parent


def manager() -> KernelSpecManager:
    """Return a manager that knows ``tutor-warm`` beside all the kernels installed here; nothing is written.

    Raises WarmError where the provisioner is not registered in this environment.
    """
    if KERNEL_NAME not in KernelProvisionerFactory.instance().get_provisioner_entries():
        raise WarmError(
            "This environment does not know the warm kernels, because it was made before they were: install the course"
            " into it again (`make environment`, or `pip install --editable .`)."
        )
    known = KernelSpecManager()
    known.kernel_dirs = [str(search_path() / "kernels"), *known.kernel_dirs]
    return known


def install(prefix: Path | None = None, *, data_folder: Path | None = None) -> Path:
    """Copy the kernelspec under an environment's prefix, or into a Jupyter data folder; return its new folder.

    Give one of the two: ``prefix`` (such as ``sys.prefix``) takes it to ``<prefix>/share/jupyter``. What stood there
    under this name is replaced. Raises ValueError for none or both.
    """
    if (prefix is None) == (data_folder is None):
        raise ValueError("install the kernel either under a prefix or into a data folder: give exactly one of the two")
    data = data_folder if prefix is None else prefix / "share" / "jupyter"
    assert data is not None
    target = data / "kernels" / KERNEL_NAME
    if target.exists():
        shutil.rmtree(target)
    return shutil.copytree(search_path() / "kernels" / KERNEL_NAME, target)
