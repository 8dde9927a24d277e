package main

import (
	"fmt"
	"io"

	"trygg/store"
)

type keysCmd struct {
	New    keysNewCmd    `cmd:"" help:"Make a new key ring."`
	Rotate keysRotateCmd `cmd:"" help:"Change keys in three steps, each brought to all replicas before the next: add, activate, retire."`
}

type keysNewCmd struct {
	File string `arg:"" help:"File to make; it must not be there yet." type:"path"`
}

func (c keysNewCmd) Run(out io.Writer) error {
	if err := store.NewKeys(c.File); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: made, readable by its owner only. Keep a copy in a safe place: what it sealed cannot be read without it.\n", c.File)
	return nil
}

type keysRotateCmd struct {
	Add      keysAddCmd      `cmd:"" help:"Step 1: add a key that opens, and does not seal yet."`
	Activate keysActivateCmd `cmd:"" help:"Step 2: let the added key seal."`
	Retire   keysRetireCmd   `cmd:"" help:"Step 3, 48 hours later: take the old key away."`
}

type keysAddCmd struct {
	File string `arg:"" type:"existingfile"`
}

func (c keysAddCmd) Run(out io.Writer) error {
	id, err := store.AddKey(c.File)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "key %d added. Bring the file to all replicas and restart them; then: trygg keys rotate activate %s %d\n", id, c.File, id)
	return nil
}

type keysActivateCmd struct {
	File string `arg:"" type:"existingfile"`
	ID   byte   `arg:"" help:"The key's id."`
}

func (c keysActivateCmd) Run(out io.Writer) error {
	if err := store.ActivateKey(c.File, c.ID); err != nil {
		return err
	}
	fmt.Fprintf(out, "key %d seals from now on. Bring the file to all replicas and restart them; 48 hours later: trygg keys rotate retire %s OLD\n", c.ID, c.File)
	return nil
}

type keysRetireCmd struct {
	File string `arg:"" type:"existingfile"`
	ID   byte   `arg:"" help:"The key's id."`
}

func (c keysRetireCmd) Run(out io.Writer) error {
	if err := store.RetireKey(c.File, c.ID); err != nil {
		return err
	}
	fmt.Fprintf(out, "key %d is gone. What it sealed counts as absent.\n", c.ID)
	return nil
}
