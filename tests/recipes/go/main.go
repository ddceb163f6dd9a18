package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "self-update" {
		code, err := selfUpdate(os.Args[2:])
		if err != nil {
			fmt.Fprintln(os.Stderr, "mytool:", err)
		}
		os.Exit(code)
	}
	fmt.Println("mytool 1.0.0")
}
