/*
 * Changes of membership under a running lease, for the model checker Spin: four members, of whom the FOUNDERS vote at
 * first; each change adds or removes one voter; also the leader itself may be removed.
 *
 * Rules: a configuration is effective as soon as it is appended, committed or not; a leader changes it only after an
 * entry of its own term and the configuration before are committed; the lease is that of a majority of the latest
 * appended configuration; a new leader waits for the promises that its quorum reported.
 *
 * Coarser than lease.pml, so that it can be searched: an election is one step (candidate, quorum, reports, noop), and
 * so are a handover and the round trip of an append, whose reply may be lost; a leader holds without a claim as soon
 * as its wait is over and a lease runs, which allows more than the protocol. Clocks run at one rate and D = U = SPAN,
 * unless DRIFT is set: then each advances by 1 or 2 in a step of Time, and D = 2 U. Learners get appends and promise,
 * too.
 *
 * Invariant checked: no two applications ever have a deadline ahead of them (`trust`); no committed entry is ever lost
 * or contradicted (`settle`).
 *
 * Switches: as in lease.pml. A set of nodes is a number in which node i is bit i, also in what is printed.
 *
 * Deliberately absent: claims and tokens, restarts (lease.pml has them), messages on their way, new incarnations (they
 * are new members), catching up before the promotion (it serves availability, not safety).
 */
#define N 4
#ifndef FOUNDERS
#define FOUNDERS 7 /* the first voters, as a set: nodes 0 to 2 */
#endif
#ifndef TERMS
#define TERMS 3 /* highest term; at most 3 */
#endif
#ifndef ENTRIES
#define ENTRIES 5 /* longest log; at most 5 */
#endif
#ifndef CHANGES
#define CHANGES 2 /* changes of configuration in all */
#endif
#ifndef SPAN
#define SPAN 1
#endif

#define USABLE SPAN
#ifdef DRIFT
#define PROMISED (2 * SPAN)
#else
#define PROMISED SPAN
#endif

#define BIT(i) (1 << (i))
#define AT(l, v) ((l) * N + (v))
#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define LESS(a, b) ((a) > (b) -> (a) - (b) : 0)
#define SIZE(set) (((set) & 1) + (((set) >> 1) & 1) + (((set) >> 2) & 1) + (((set) >> 3) & 1))
#define QUORUM(set, of) (SIZE((set) & (of)) * 2 > SIZE(of))

/* An entry is its term, two bits, and the voters it appoints, four bits: none in a noop. The oldest is lowest. */
#define PREFIX(log, n) ((log) & ((1 << (6 * (n))) - 1))
#define TERM_AT(log, n) ((n) == 0 -> 0 : ((log) >> (6 * ((n) - 1))) & 3)
#define VOTERS_AT(log, n) (((log) >> (6 * ((n) - 1) + 2)) & 15)
#define LAST_TERM(i) TERM_AT(log[i], length[i])
#define COVERS(c, v) \
  (LAST_TERM(c) > LAST_TERM(v) || (LAST_TERM(c) == LAST_TERM(v) && length[c] >= length[v]))

/* `voters` and `votersAt` follow from the log; `before` is the configuration before the latest. */
byte term[N], leads[N], revoked[N], wait[N], length[N], commit[N], voters[N], votersAt[N];
int log[N];
byte promise[N], promiseTerm[N], deadline[N];
byte acked[N * N], match[N * N];
byte changes, committedLength;
int committedLog;
#ifdef RELAXED_LEASE_OF_COMMITTED
byte before[N];
#endif
/* For the inside of a step; 0 between steps. */
byte k, m, n, x, lease, certificate, quorum, next;
#define DONE k = 0; m = 0; n = 0; x = 0; lease = 0; certificate = 0; quorum = 0; next = 0

inline configure(i) {
  n = length[i];
  do
  :: n == 0 -> voters[i] = FOUNDERS; votersAt[i] = 0; break
  :: else ->
    if
    :: VOTERS_AT(log[i], n) != 0 -> voters[i] = VOTERS_AT(log[i], n); votersAt[i] = n; break
    :: else -> n--
    fi
  od
}

#if defined(MUTANT_LEARNERS_COUNT)
#define GIVES_LEASE(set, l) (SIZE(set) * 2 > SIZE(voters[l]))
#elif defined(RELAXED_LEASE_OF_COMMITTED)
#define GIVES_LEASE(set, l) QUORUM(set, (votersAt[l] <= commit[l] -> voters[l] : before[l]))
#else
#define GIVES_LEASE(set, l) QUORUM(set, voters[l])
#endif

inline trust(l) {
  lease = USABLE;
  do
  :: lease == 0 -> break
  :: else ->
    m = BIT(l);
    for (k : 0 .. N - 1) { if :: acked[AT(l, k)] >= lease -> m = m | BIT(k) :: else fi }
    if :: GIVES_LEASE(m, l) -> break :: else -> lease-- fi
  od;
  if
  :: lease > deadline[l] && wait[l] == 0 && !revoked[l] ->
    deadline[l] = lease;
    printf("  %d holds, by the replies of %d of the voters %d\n", l, m, voters[l]);
#ifdef REACH_LEASE_IN_THIRD_CONFIGURATION
    assert(changes < 2 || votersAt[l] < commit[l] || term[l] == 1);
#endif
    for (k : 0 .. N - 1) { assert(k == l || deadline[k] == 0) }
  :: else
  fi
}

inline settle(l) {
  n = length[l];
  do
  :: n <= commit[l] || TERM_AT(log[l], n) != term[l] -> break
  :: else ->
    m = BIT(l);
    for (k : 0 .. N - 1) { if :: match[AT(l, k)] >= n -> m = m | BIT(k) :: else fi }
    if
    :: QUORUM(m, voters[l]) ->
      commit[l] = n;
      if
      :: n <= committedLength -> assert(PREFIX(log[l], n) == PREFIX(committedLog, n))
      :: else ->
        assert(PREFIX(log[l], committedLength) == committedLog);
        committedLog = PREFIX(log[l], n); committedLength = n
      fi;
      break
    :: else -> n--
    fi
  od;
  for (k : 0 .. N - 1) { if :: match[AT(l, k)] <= commit[l] -> match[AT(l, k)] = 0 :: else fi }
  trust(l)
}

inline adopt(i, newer) {
  if
  :: term[i] < newer ->
    for (k : 0 .. N - 1) { acked[AT(i, k)] = 0; match[AT(i, k)] = 0 }
    leads[i] = 0; revoked[i] = 0; wait[i] = 0; commit[i] = 0; term[i] = newer
  :: else
  fi
}

inline append(i, appointed) {
  log[i] = log[i] | ((term[i] + 4 * (appointed)) << (6 * length[i]));
  length[i]++
}

#if defined(RELAXED_OLDER_TERMS_VOID)
#define VOID(v) (certificate != 0 && promiseTerm[v] != 0 && promiseTerm[v] <= certificate)
#elif defined(RELAXED_ALL_VOID)
#define VOID(v) (certificate != 0)
#else
#define VOID(v) (certificate != 0 && promiseTerm[v] == certificate)
#endif

/* Smallest quorums only: a larger one reports more, and whoever else adopts the term may do so later. */
#define VOTES(v, c, newer, set) (((set) & BIT(v)) == 0 || (term[v] < (newer) && COVERS(c, v)))
#define CAN_WIN(c, newer, set) \
  (((set) & BIT(c)) != 0 && ((set) & voters[c]) == (set) && SIZE(set) == SIZE(voters[c]) / 2 + 1 && \
  (newer) <= TERMS && length[c] < ENTRIES && VOTES(0, c, newer, set) && VOTES(1, c, newer, set) && \
  VOTES(2, c, newer, set) && VOTES(3, c, newer, set))

inline win(i, newer, set) {
  printf("%d wins term %d by the votes of %d of the voters %d\n", i, newer, set, voters[i]);
  m = 0;
#ifndef MUTANT_NO_WAIT
  for (k : 0 .. N - 1) {
    if :: ((set) & BIT(k)) != 0 && !VOID(k) -> m = MAX(m, promise[k]) :: else fi
  }
#endif
  for (n : 0 .. N - 1) { if :: ((set) & BIT(n)) != 0 -> adopt(n, newer) :: else fi }
  printf("  it waits for %d\n", m);
  leads[i] = 1; wait[i] = m;
  append(i, 0);
  settle(i)
}

#ifdef MUTANT_CHANGE_BEFORE_COMMIT
#define OWN_TERM_COMMITTED(l) true
#else
#define OWN_TERM_COMMITTED(l) (commit[l] > 0)
#endif
#ifdef MUTANT_TWO_CHANGES_AT_ONCE
#define LAST_CHANGE_COMMITTED(l) true
#else
#define LAST_CHANGE_COMMITTED(l) (votersAt[l] <= commit[l])
#endif
#ifdef RELAXED_LEASE_OF_COMMITTED
#define REMEMBER(l) before[l] = voters[l]
#else
#define REMEMBER(l) skip
#endif

/* Chosen first, so that what follows is compiled once. */
#define ELECTION(newer, set) \
  :: d_step { CAN_WIN(i, newer, set) -> quorum = set; next = newer }
#define HANDOVER(l, set) \
  :: d_step { \
      i != l && leads[l] && !revoked[l] && wait[l] == 0 && term[i] == term[l] && CAN_WIN(i, term[i] + 1, set) -> \
      printf("%d, leader of term %d, has stopped, and hands over to %d with a certificate\n", l, term[l], i); \
      deadline[l] = 0; revoked[l] = 1; certificate = term[l]; \
      quorum = set; next = term[i] + 1 }

#define APPEND(v, heard) \
  :: d_step { \
      i != v && leads[i] && term[v] <= term[i] -> \
      printf("%d, leader of term %d, has %d accept its log; the reply is heard: %d\n", i, term[i], v, heard); \
      promise[i] = PROMISED; promiseTerm[i] = term[i]; \
      adopt(v, term[i]); \
      if \
      :: length[v] >= length[i] && PREFIX(log[v], length[i]) == log[i] \
      :: else -> log[v] = log[i]; length[v] = length[i]; configure(v) \
      fi; \
      promise[v] = PROMISED; promiseTerm[v] = term[i]; \
      if :: heard -> acked[AT(i, v)] = USABLE; match[AT(i, v)] = length[i]; settle(i) :: else fi; \
      DONE }

#define CHANGE(set) \
  :: d_step { \
      leads[i] && !revoked[i] && OWN_TERM_COMMITTED(i) && LAST_CHANGE_COMMITTED(i) && changes < CHANGES && \
      length[i] < ENTRIES && (voters[i] ^ (set)) != 0 -> \
      printf("%d, leader of term %d, appends the voters %d\n", i, term[i], voters[i] ^ (set)); \
      changes++; \
      REMEMBER(i); \
      append(i, voters[i] ^ (set)); \
      configure(i); \
      settle(i); DONE }

#define EACH_QUORUM(step, of) \
  step(of, 1) step(of, 2) step(of, 3) step(of, 4) step(of, 5) step(of, 6) step(of, 7) step(of, 8) step(of, 9) \
  step(of, 10) step(of, 11) step(of, 12) step(of, 13) step(of, 14)

proctype Node(byte i) {
  do
  :: atomic {
      if
      EACH_QUORUM(ELECTION, 2)
#if TERMS > 2
      EACH_QUORUM(ELECTION, 3)
#endif
#ifdef HANDOVERS
      EACH_QUORUM(HANDOVER, 0) EACH_QUORUM(HANDOVER, 1) EACH_QUORUM(HANDOVER, 2) EACH_QUORUM(HANDOVER, 3)
#endif
      fi;
      d_step { win(i, next, quorum); DONE } }
  APPEND(0, 0) APPEND(0, 1) APPEND(1, 0) APPEND(1, 1) APPEND(2, 0) APPEND(2, 1) APPEND(3, 0) APPEND(3, 1)
  CHANGE(1) CHANGE(2) CHANGE(4) CHANGE(8)
#ifdef MUTANT_SWAP
  CHANGE(9) CHANGE(10) CHANGE(12)
#endif
  od
}

#define TICK(fast) \
  :: d_step { \
      printf("time passes; the clocks of %d are fast\n", fast); \
      for (x : 0 .. N - 1) { \
        n = 1 + ((fast >> x) & 1); \
        promise[x] = LESS(promise[x], n); wait[x] = LESS(wait[x], n); deadline[x] = LESS(deadline[x], n); \
        if :: promise[x] == 0 -> promiseTerm[x] = 0 :: else fi; \
        for (k : 0 .. N - 1) { acked[AT(x, k)] = LESS(acked[AT(x, k)], n) } \
      } \
      for (x : 0 .. N - 1) { if :: leads[x] -> trust(x) :: else fi }; DONE }

proctype Time() {
  do
  TICK(0)
#ifdef DRIFT
  TICK(1) TICK(2) TICK(3) TICK(4) TICK(5) TICK(6) TICK(7)
  TICK(8) TICK(9) TICK(10) TICK(11) TICK(12) TICK(13) TICK(14) TICK(15)
#endif
  od
}

/* Without loss of generality the first leader is node 0, in term 1, by the votes of the next ones. */
init {
  atomic {
    d_step {
      for (x : 0 .. N - 1) { configure(x) }
      for (x : 0 .. SIZE(FOUNDERS) / 2) { term[x] = 1 }
      leads[0] = 1;
      append(0, 0);
      DONE
    }
    run Node(0); run Node(1); run Node(2); run Node(3); run Time()
  }
}
