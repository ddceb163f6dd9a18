//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
)

// selfUpdate becomes the shim. It returns only where that cannot be started.
func selfUpdate(given []string) (int, error) {
	tool, err := os.Executable()
	if err != nil {
		return 1, err
	}
	if tool, err = filepath.EvalSymlinks(tool); err != nil {
		return 1, err
	}
	folder := filepath.Dir(tool)
	if len(given) == 0 { // the current one may have been removed
		if err := os.Chdir(folder); err != nil {
			return 1, err
		}
	}
	shim := filepath.Join(folder, "updater-shim")
	return 1, syscall.Exec(shim, append([]string{shim}, given...), os.Environ())
}
