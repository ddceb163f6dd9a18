package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// selfUpdate downloads on the user's terminal and leaves the rest to a shim that waits for our end.
func selfUpdate(given []string) (int, error) {
	tool, err := os.Executable()
	if err != nil {
		return 1, err
	}
	folder := filepath.Dir(tool)
	shim := filepath.Join(folder, "updater-shim.exe")
	if len(given) > 0 {
		return runHere(exec.Command(shim, given...))
	}
	download := exec.Command(shim, "--download-only")
	download.Dir = folder
	if code, err := runHere(download); err != nil || code != 0 {
		return code, err
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

// runHere runs it on the user's terminal.
func runHere(command *exec.Cmd) (int, error) {
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := command.Run()
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.ExitCode(), nil // it has said why
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
