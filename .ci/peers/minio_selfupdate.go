// Updates TARGET as the documentation of minio/selfupdate shows it: minio_selfupdate URL SHA256 TARGET.
package main

import (
	"encoding/hex"
	"log"
	"net/http"
	"os"

	"github.com/minio/selfupdate"
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
	options := selfupdate.Options{TargetPath: os.Args[3], Checksum: checksum}
	if err := selfupdate.Apply(response.Body, options); err != nil {
		log.Fatal(err)
	}
}
