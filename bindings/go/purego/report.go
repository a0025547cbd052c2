// Code generated from ../report.go by internal/twin. DO NOT EDIT.

package reaper

import (
	"encoding/json"
	"time"
)

// Status is where a container is in its life.
type Status string

// The statuses of the runtime specification, and the one that List has for a record that cannot be believed.
const (
	StatusCreating Status = "creating"
	StatusCreated  Status = "created"
	StatusRunning  Status = "running"
	StatusStopped  Status = "stopped"
	StatusCorrupt  Status = "corrupt"
)

// State is the state object of the runtime specification.
type State struct {
	OCIVersion  string            `json:"ociVersion"`
	ID          string            `json:"id"`
	Status      Status            `json:"status"`
	Pid         int               `json:"pid"` // 0: stopped
	Bundle      string            `json:"bundle"`
	Annotations map[string]string `json:"annotations"`
	Created     time.Time         `json:"created"`
	Reaper      StateDetails      `json:"reaper"`

	Raw json.RawMessage `json:"-"` // all of it, as the library printed it
}

// StateDetails is what Reaper adds to the state object.
type StateDetails struct {
	Containment   string          `json:"containment"` // what All reaches: "cgroup", "supervisor" or "descendants"
	Supervision   string          `json:"supervision"` // "none", "active" or "lost"
	SupervisorPid int             `json:"supervisorPid"`
	Credentials   json.RawMessage `json:"credentials"` // ids, groups and capability sets
	Exit          json.RawMessage `json:"exit"`        // how it ended; null: nobody can tell; see also Container.Wait
	Cgroups       []Cgroup        `json:"cgroups"`
	Warnings      []Warning       `json:"warnings"`
}

// Cgroup is one that a container is in.
type Cgroup struct {
	Hierarchy string `json:"hierarchy"` // the controllers of version 1, or "unified"
	Path      string `json:"path"`
	Made      bool   `json:"made"` // for this container; else it was there before
}

// Warning is what Create has to say about a config.json that it can apply but not to the letter.
type Warning struct {
	Pointer string `json:"pointer"` // JSON pointer of the field
	Message string `json:"message"`
}

// Info is what List says of a container.
type Info struct {
	ID      string    `json:"id"`
	Pid     int       `json:"pid"` // 0: stopped
	Status  Status    `json:"status"`
	Bundle  string    `json:"bundle"`
	Created time.Time `json:"created"`
	Owner   string    `json:"owner"` // a user's name, or uid
	Error   string    `json:"error"` // with StatusCorrupt: why
}

// Report is what Check has found.
type Report struct {
	OK       bool      `json:"ok"` // no errors
	Findings []Finding `json:"findings"`
}

// Finding is one line of a Report.
type Finding struct {
	Level   string `json:"level"`   // "error", "warning" (an error with Strict) or "note"
	Code    string `json:"code"`    // the name of the Code that would be returned; "REAPER_OK" for a note
	Pointer string `json:"pointer"` // as in Error, like the next two
	Stage   string `json:"stage"`
	Message string `json:"message"`
}

// Plan is what Create would do.
type Plan struct {
	Operations []Operation     `json:"operations"`
	Hooks      []Hook          `json:"hooks"`
	Identity   json.RawMessage `json:"identity"` // ids, groups and capability sets, also what execve(2) makes of them
	Warnings   []Warning       `json:"warnings"`
}

// Operation is a step of a Plan.
type Operation struct {
	Op        string          `json:"op"`
	Pointer   string          `json:"pointer"` // JSON pointer of the field of config.json that asked for it, or ""
	Arguments json.RawMessage `json:"arguments"`
}

// Hook is a program of config.json that runs beside the container.
type Hook struct {
	Kind               string   `json:"kind"`
	Pointer            string   `json:"pointer"`
	Path               string   `json:"path"`
	Args               []string `json:"args"`
	EnvironmentEntries int      `json:"environmentEntries"`
	Timeout            int      `json:"timeout"` // seconds; 0: none
}
