package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "self-update" {
		code, err := selfUpdate()
		if err != nil {
			fmt.Fprintln(os.Stderr, "mytool:", err)
		}
		os.Exit(code)
	}
	fmt.Println("mytool 1.0.0")
}
