package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// selfUpdate downloads on the user's terminal and leaves the rest to a shim that waits for our end.
func selfUpdate() (int, error) {
	tool, err := os.Executable()
	if err != nil {
		return 1, err
	}
	folder := filepath.Dir(tool)
	shim := filepath.Join(folder, "updater-shim.exe")
	download := exec.Command(shim, "--download-only")
	download.Dir, download.Stdin, download.Stdout, download.Stderr = folder, os.Stdin, os.Stdout, os.Stderr
	if err := download.Run(); err != nil {
		if exit, ok := err.(*exec.ExitError); ok {
			return exit.ExitCode(), nil // it has said why
		}
		return 1, err
	}
	update := exec.Command(shim, "--parent-pid", strconv.Itoa(os.Getpid()))
	update.Dir = folder
	// CREATE_NO_WINDOW and CREATE_NEW_PROCESS_GROUP
	update.SysProcAttr = &syscall.SysProcAttr{CreationFlags: 0x08000200}
	if err := update.Start(); err != nil {
		return 1, err
	}
	return 0, nil
}
