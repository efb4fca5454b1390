// A worker in Go, with the standard library alone: one step of work at a time, only while its pod holds the lock.
//
// The rule: note the instant before asking, and act only until that instant + remainingMs; a time.Time of time.Now
// carries a monotonic reading, so no setting of the clock can move this deadline. Whatever is not a clear "yes" means
// "not the leader". The token goes with every write, and the resource refuses an older one.
//
// TENURE_URL: the lock API. STORE_URL: what the work writes to.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var (
	tenure = env("TENURE_URL", "http://127.0.0.1:4040")
	store  = env("STORE_URL", "http://127.0.0.1:8080/")
)

// answer has the fields of /leader that matter here. Its zero value says "not the leader".
type answer struct {
	IsLeader    bool   `json:"isLeader"`
	Self        string `json:"self"`
	Token       int64  `json:"token"`
	RemainingMs int64  `json:"remainingMs"`
	Reason      string `json:"reason"`
	Index       *int64 `json:"index"`
}

// ask returns the answer of the lock API: a 503 has the same JSON as a 200, everything else is the same as a "no".
func ask(ctx context.Context, query string) answer {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	var a answer
	body, err := send(ctx, http.MethodGet, tenure+"/leader"+query, "", nil)
	if err != nil || json.Unmarshal(body, &a) != nil {
		return answer{}
	}
	return a
}

// step is one step of work; the request is given up at the deadline of ctx.
func step(ctx context.Context, token int64, text string) {
	header := http.Header{"Fencing-Token": {strconv.FormatInt(token, 10)}}
	if _, err := send(ctx, http.MethodPut, store, text, header); err != nil {
		log.Printf("step failed: %v", err)
	}
}

// resign says "I have stopped". An answer of 409 says that there was nothing to give back.
func resign() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, _ = send(ctx, http.MethodPost, tenure+"/resign", "", nil)
}

func main() {
	running, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	steps := 0
	// [readme]
	for running.Err() == nil {
		asked := time.Now()
		a := ask(running, "")
		deadline := asked.Add(time.Duration(a.RemainingMs) * time.Millisecond)
		switch {
		case a.IsLeader && time.Now().Before(deadline):
			steps++
			ctx, cancel := context.WithDeadline(context.Background(), deadline)
			step(ctx, a.Token, fmt.Sprintf("%s step %d", a.Self, steps))
			cancel()
		case a.Reason == "draining":
			resign() // no step is under way here, so this is true: "I have stopped"
		case a.Index != nil && !a.IsLeader:
			ask(running, fmt.Sprintf("?index=%d&wait=10s", *a.Index)) // returns early when something changes
			continue
		}
		pause(running)
	}
	resign()
	// [/readme]
}

func send(ctx context.Context, method, url, body string, header http.Header) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && method == http.MethodPut && response.StatusCode >= 400 {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return text, err
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(100 * time.Millisecond):
	}
}

func env(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
