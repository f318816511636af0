"""Write files as the next commit of a git branch, without touching the checkout or its index."""

import json
import subprocess
from pathlib import Path

from tutor.course.chapters import CourseError
from tutor.places import BUNDLE_MARK


def write_branch(top: Path, branch: str, files: dict[str, bytes]) -> bool:
    """Make the files the whole content of the branch; False when they were so already.

    Raises CourseError when there is no git here, the branch is the one that is checked out, or git refuses.
    """
    git(top, "check-ref-format", "--branch", branch)
    checked_out = git(top, "worktree", "list", "--porcelain").decode().splitlines()
    if f"branch refs/heads/{branch}" in checked_out:
        raise CourseError(f"the branch {branch} is checked out: name another one, which holds nothing but the bundle")
    before = git(top, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}").decode().strip()
    if before:
        held = git(top, "ls-tree", "--name-only", before).decode().split("\n")
        if BUNDLE_MARK not in held:
            raise CourseError(f"the branch {branch} holds something else: name another one, or delete it")
        if git(top, "cat-file", "blob", f"{before}:{BUNDLE_MARK}") == files[BUNDLE_MARK]:
            return False
    version = json.loads(files[BUNDLE_MARK])["version"]
    who = git(top, "var", "GIT_COMMITTER_IDENT").decode().strip()
    said = f"Student bundle {version}\n".encode()
    stream = [f"commit refs/heads/{branch}\ncommitter {who}\ndata {len(said)}\n".encode() + said]
    if before:
        stream.append(f"from {before}\n".encode())
    stream.append(b"deleteall\n")
    for path, data in files.items():
        stream.append(
            f"M 100644 inline {json.dumps(path, ensure_ascii=False)}\ndata {len(data)}\n".encode() + data + b"\n"
        )
    git(top, "fast-import", "--quiet", "--done", stdin=b"".join(stream) + b"done\n")
    return True


def git(top: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run git at the top of the course and return what it prints; CourseError when it fails."""
    try:
        done = subprocess.run(["git", *arguments], cwd=top, input=stdin, capture_output=True)
    except FileNotFoundError as error:
        raise CourseError("there is no git here, and a branch needs it: install it, or leave out --branch") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"]
        raise CourseError(f"git {arguments[0]} fails: {said[-1]}")
    return done.stdout
