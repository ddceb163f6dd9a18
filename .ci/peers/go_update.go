// Updates TARGET as the documentation of go-update shows it: go_update URL SHA256 TARGET.
package main

import (
	"encoding/hex"
	"log"
	"net/http"
	"os"

	update "github.com/inconshreveable/go-update"
)

func main() {
	checksum, err := hex.DecodeString(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	response, err := http.Get(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	options := update.Options{TargetPath: os.Args[3], Checksum: checksum}
	if err := update.Apply(response.Body, options); err != nil {
		log.Fatal(err)
	}
}
