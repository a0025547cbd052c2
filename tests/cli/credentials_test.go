package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

type credentials struct {
	UID, GID                            uint32
	AdditionalGids                      []uint32
	NoNewPrivileges                     bool
	Capabilities, CapabilitiesAfterExec map[string][]string
}

// kernelSets turns one of state's objects of capability sets into the lines of /proc/PID/status.
func kernelSets(t *testing.T, b *box, sets map[string][]string) map[string]string {
	t.Helper()
	var features struct {
		Linux struct{ Capabilities []string }
	}
	check(t, json.Unmarshal([]byte(b.ok("features")), &features))
	bits := map[string]uint{} // they are listed by number, from 0 on
	for number, name := range features.Linux.Capabilities {
		bits[name] = uint(number)
	}
	lines := map[string]string{}
	for name, line := range map[string]string{"bounding": "CapBnd", "effective": "CapEff", "inheritable": "CapInh",
		"permitted": "CapPrm", "ambient": "CapAmb"} {
		list, found := sets[name]
		want(t, name+" is there", found, true)
		var numbers []uint
		for _, capability := range list {
			number, known := bits[capability]
			if !known { // younger than the table of names
				_, err := fmt.Sscanf(capability, "CAP_%d", &number)
				check(t, err)
			}
			numbers = append(numbers, number)
		}
		lines[line] = mask(numbers...)
	}
	return lines
}

// What state tells of the identity is what the kernel says of the process: before execve of the waiting reaper-init, and
// after it of the program.
func wantCredentials(t *testing.T, b *box, config object) {
	t.Helper()
	pid := b.create("c", config)
	defer b.cli("delete", "--force", "c")
	for _, started := range []bool{false, true} {
		if started {
			b.ok("start", "c")
		}
		var state struct {
			Reaper struct{ Credentials credentials }
		}
		check(t, json.Unmarshal([]byte(b.ok("state", "c")), &state))
		told := state.Reaper.Credentials
		got := procStatus(read(t, procPath(pid, "status")))
		sets := told.Capabilities
		if started {
			sets = told.CapabilitiesAfterExec
		}
		wantFields(t, got, kernelSets(t, b, sets))
		wantFields(t, got, map[string]string{"Uid": four(told.UID), "Gid": four(told.GID),
			"Groups": strings.Trim(fmt.Sprint(told.AdditionalGids), "[]")})
		if started {
			want(t, "NoNewPrivs", got["NoNewPrivs"] == "1", told.NoNewPrivileges)
		}
	}
}

func TestStateTellsTheCredentialsInForce(t *testing.T) {
	t.Parallel()
	for _, more := range []object{{}, {"noNewPrivileges": true}} {
		config := config(forever...)
		for name, value := range more {
			config.with(name, value)
		}
		wantCredentials(t, newBox(t), config)
	}
}

func TestStateTellsTheCredentialsOfAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.asUser(ordinaryUID)
	wantCredentials(t, b, config(forever...))
}

func TestStateTellsTheCredentialsAfterChanges(t *testing.T) {
	t.Parallel()
	needRoot(t)
	kill, bind := "CAP_KILL", "CAP_NET_BIND_SERVICE"
	some := object{"bounding": []string{kill, bind, "CAP_CHOWN"}, "permitted": []string{kill, bind},
		"effective": []string{kill}, "inheritable": []string{bind, "CAP_CHOWN"}}
	ambient := object{"bounding": []string{kill, bind}, "permitted": []string{kill, bind}, "effective": []string{kill},
		"inheritable": []string{kill, bind}, "ambient": []string{bind}}
	other := object{"uid": ordinaryUID, "gid": otherUID, "additionalGids": []uint32{otherUID, 7}}
	root := object{"uid": 0, "gid": 0, "additionalGids": []uint32{4}}
	for _, more := range []object{
		{"user": other}, {"user": root},
		{"capabilities": object{}}, {"capabilities": some}, {"capabilities": ambient},
		{"user": other, "capabilities": object{}}, {"user": other, "capabilities": some},
		{"user": other, "capabilities": ambient}, {"user": other, "capabilities": ambient, "noNewPrivileges": true},
		{"user": root, "capabilities": some, "noNewPrivileges": true},
	} {
		config := config(forever...)
		for name, value := range more {
			config.with(name, value)
		}
		wantCredentials(t, newBox(t), config)
		if t.Failed() {
			text, _ := json.Marshal(more)
			t.Fatalf("with %s (caller %d)", text, os.Getuid())
		}
	}
}
