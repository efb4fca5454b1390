#!/usr/bin/env bash
# A worker in shell, with curl and nothing else: it does one step of work at a time, and only while its pod holds the
# lock.
#
# The rule: ask, note the instant *before* asking, and act only until that instant + remainingMs. Whatever is not a
# clear "yes" means "not the leader". The token goes with every write, and the resource refuses an older one.
#
# Needs bash, curl and Linux (/proc/uptime). TENURE_URL: the lock API. STORE_URL: what the work writes to.
set -u
tenure=${TENURE_URL:-http://127.0.0.1:4040}
store=${STORE_URL:-http://127.0.0.1:8080/}

# Sets `now`, in ms. The clock of /proc/uptime cannot be set and goes on while the machine sleeps; it has steps of
# 10 ms, hence the 10 below. It is not the clock of deadlineMonotonicNs: only differences of it mean anything here.
read_clock() {
  local uptime
  read -r uptime _ </proc/uptime
  now=$((10#${uptime/./}0))
}

# One step of work; the request is given up at the deadline. For another command: timeout "$seconds" command …
step() {
  local token=$1 left=$2 text=$3 seconds
  printf -v seconds '%d.%03d' $((left / 1000)) $((left % 1000))
  curl --silent --fail --max-time "$seconds" --request PUT --header "Fencing-Token: $token" --data "$text" "$store"
}

resign() {
  curl --silent --output /dev/null --max-time 5 --request POST "$tenure/resign"
}

stopping=no
trap 'stopping=yes' TERM INT # bash runs it once the step that is under way has ended
steps=0

# [readme]
holds='"isLeader":true.*"self":"([^"]+)".*"token":([0-9]+).*"remainingMs":([0-9]+)'
while [[ $stopping == no ]]; do
  read_clock
  asked=$now
  answer=$(curl --silent --max-time 1 "$tenure/leader") || answer=
  if [[ $answer =~ $holds ]]; then
    deadline=$((asked + BASH_REMATCH[3] - 10))
    read_clock
    ((now < deadline)) && step "${BASH_REMATCH[2]}" $((deadline - now)) "${BASH_REMATCH[1]} step $((++steps))"
  elif [[ $answer == *'"reason":"draining"'* ]]; then
    resign # no step is under way here, so this is true: "I have stopped"
  fi
  sleep 0.1
done
resign
# [/readme]
