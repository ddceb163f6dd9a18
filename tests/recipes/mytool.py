#!/usr/bin/env python3
import os, subprocess, sys


def self_update(given):
    # Of a program that PyInstaller made: sys.executable instead of __file__.
    folder = os.path.dirname(os.path.realpath(__file__))
    shim = os.path.join(folder, "updater-shim")
    if not given:
        os.chdir(folder)  # the current one may have been removed
    if os.name != "nt":
        os.execv(shim, [shim, *given])  # does not return
    if given:
        return subprocess.call([shim, *given])
    code = subprocess.call([shim, "--download-only"])
    if code == 0:  # CREATE_NO_WINDOW and CREATE_NEW_PROCESS_GROUP
        pid, null = str(os.getpid()), subprocess.DEVNULL
        subprocess.Popen([shim, "--parent-pid", pid], creationflags=0x08000200, stdin=null, stdout=null, stderr=null)
    return code


if sys.argv[1:2] == ["self-update"]:
    sys.exit(self_update(sys.argv[2:]))
print("mytool 1.0.0")
