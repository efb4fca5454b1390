/*
 * The lease, claim and transfer rules L1 to L7 of docs/explanation/lease.md, for the model checker Spin: three voters,
 * every order of their steps, every loss and delay of messages, within the bounds below.
 *
 * Time is abstract. One step of Time is a span in which each clock advances by 1 (slow) or by 2 (fast), chosen anew for
 * each clock and step: rates that differ by a factor of 2 are a drift bound of 1/3. So D = 2 SPAN and
 * U = D (1 - 1/3) / (1 + 1/3) = SPAN. Any number of other steps fits between two steps of Time. A span is kept as what
 * is left of it, on the clock of the node that measures it: the lease of a round on the leader's, also while the round
 * and its acknowledgement are on their way.
 *
 * Every d_step is one atomic step of one node. Reading a message means reading the sender's state where that allows
 * more than a delayed message would: a vote reply that travels makes the wait longer only, an append of a deposed
 * leader makes a promise longer only.
 *
 * Invariant checked: no two applications ever have a deadline ahead of them (`trust`); tokens rise (`hold`).
 *
 * Switches: MUTANT_* breaks one rule and must be refuted; RELAXED_* loosens one and must be shown safe; REACH_* asserts
 * that something cannot happen which must be able to. NO_LOG leaves out the log: whoever may claim holds at once, and
 * any log wins an election. That allows more than the protocol, so exclusion without a log is exclusion with it.
 *
 * WITH_COMMANDS lets a leader append entries that mean nothing to the lock.
 *
 * Deliberately absent: PreVote, CheckQuorum, priorities (stability only), changes of membership (membership.pml).
 */
#define N 3
#ifndef TERMS
#define TERMS 3 /* highest term */
#endif
#ifndef ENTRIES
#define ENTRIES 6 /* longest log; at most 15 */
#endif
#ifndef BOOTS
#define BOOTS 0 /* restarts in all */
#endif
#ifndef SPAN
#define SPAN 1 /* U; at most 1 under MUTANT_HOLDER_USES_D, else 3 */
#endif

#define PROMISED (2 * SPAN)
#ifdef MUTANT_HOLDER_USES_D
#define USABLE PROMISED
#else
#define USABLE SPAN
#endif

#define FOLLOWER 0
#define CANDIDATE 1
#define LEADER 2

#define NO_CLAIM 0
#define APPENDED 1
#define HELD 2

#define NOBODY N
#define UNKNOWN 0 /* as the term of a promise */

#define BIT(i) (1 << (i))
#define AT(to, from) ((to) * N + (from))
#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define LESS(a, b) ((a) > (b) -> (a) - (b) : 0)
#define SIZE(set) (((set) & 1) + (((set) >> 1) & 1) + (((set) >> 2) & 1))
#define QUORUM(set) (SIZE(set) * 2 > N)

/* A log is the terms of its entries, two bits each, the oldest lowest. */
#define PREFIX(log, n) ((log) & ((1 << (2 * (n))) - 1))
#define TERM_AT(log, n) ((n) == 0 -> 0 : ((log) >> (2 * ((n) - 1))) & 3)
#define LAST_TERM(i) TERM_AT(log[i], length[i])

/* What travels: how many entries, and what is left of the lease that the round can give. 0: nothing. */
#define PACK(entries, left) (1 + 4 * (entries) + (left))
#define SENT_ENTRIES(message) (((message) - 1) / 4)
#define SENT_LEFT(message) (((message) - 1) % 4)

/* Raft */
byte term[N], votedFor[N], role[N], votes[N], length[N], commit[N];
int log[N];
/* L2 to L4: what is left of the promise, and to whom it was made. */
byte promise[N], promiseTerm[N];
/* L5: what is left of the wait; L7: the certificate of a campaign, and whether the leader has revoked. */
byte wait[N], certificate[N], revoked[N];
/* L1, by leader and voter: what is left of the newest acknowledged round, and the matching length. */
byte acked[N * N], match[N * N];
/* On the way: appends, their replies, TimeoutNow as 2 * term + certified. */
byte sent[N * N], reply[N * N], order[N];
/* L6 */
byte claiming[N], claim[N];
/* What is left of the newest deadline that the application was given. It outlives the sidecar. */
byte deadline[N];
byte lastToken, boots;
/* For the inside of a step; 0 between steps. */
byte k, m, n, x, y, lease;
#define DONE k = 0; m = 0; n = 0; x = 0; y = 0; lease = 0

/* L1: what is left of the lease. Each round counts for the leader itself, so its own is never the oldest. */
inline reckon(l) {
  lease = USABLE;
  do
  :: lease == 0 -> break
  :: else ->
    m = BIT(l);
    for (k : 0 .. N - 1) { if :: acked[AT(l, k)] >= lease -> m = m | BIT(k) :: else fi }
#ifdef MUTANT_MINORITY_ACKS
    break
#else
    if :: QUORUM(m) -> break :: else -> lease-- fi
#endif
  od
}

/* What the application is told, each time it can be more than before. */
inline trust(l) {
  if
  :: claiming[l] == HELD && lease > deadline[l] ->
    deadline[l] = lease;
    for (k : 0 .. N - 1) { assert(k == l || deadline[k] == 0) }
  :: else
  fi
}

inline stepDown(i) {
  for (k : 0 .. N - 1) { acked[AT(i, k)] = 0; match[AT(i, k)] = 0; sent[AT(i, k)] = 0; reply[AT(i, k)] = 0 }
  role[i] = FOLLOWER; votes[i] = 0; commit[i] = 0; wait[i] = 0; certificate[i] = 0; revoked[i] = 0;
  claiming[i] = NO_CLAIM; claim[i] = 0
}

/* Clears what can have no effect any more, so that states that differ in nothing else are one: appends to a node of
 * a newer term, orders of an older term, candidates who cannot win, acknowledgements of what is committed. */
inline forgetOld(i) {
  for (k : 0 .. N - 1) { if :: term[k] < term[i] -> sent[AT(k, i)] = 0 :: else fi }
#if !defined(MUTANT_CERTIFICATE_OF_ANY_TERM) && !defined(RELAXED_LATE_ORDER)
  if :: order[i] / 2 < term[i] -> order[i] = 0 :: else fi
#endif
}

inline forgetHopeless() {
  x = 0;
#ifndef MUTANT_TWO_VOTES
  for (x : 0 .. N - 1) {
    if
    :: role[x] == CANDIDATE ->
      m = votes[x];
      for (k : 0 .. N - 1) {
        if :: term[k] < term[x] || (term[k] == term[x] && votedFor[k] == NOBODY) -> m = m | BIT(k) :: else fi
      }
      if :: !QUORUM(m) -> stepDown(x) :: else fi
    :: else
    fi
  }
#endif
}

inline forgetCommitted(l) {
  for (k : 0 .. N - 1) {
    if :: match[AT(l, k)] <= commit[l] -> match[AT(l, k)] = 0 :: else fi;
    if
    :: reply[AT(l, k)] != 0 && SENT_ENTRIES(reply[AT(l, k)]) <= commit[l] ->
      if
      :: SENT_LEFT(reply[AT(l, k)]) == 0 -> reply[AT(l, k)] = 0
      :: else -> reply[AT(l, k)] = PACK(0, SENT_LEFT(reply[AT(l, k)]))
      fi
    :: else
    fi
  }
}

inline adopt(i, newer) {
  if :: term[i] < newer -> stepDown(i); term[i] = newer; votedFor[i] = NOBODY; forgetOld(i) :: else fi
}

inline append(i) {
#ifdef NO_LOG
  skip
#else
  log[i] = log[i] | (term[i] << (2 * length[i]));
  length[i]++
#endif
}

inline appendClaim(i) { append(i); claim[i] = length[i]; claiming[i] = APPENDED }

/* L7 (4): which promises a certificate makes void. */
#if defined(RELAXED_OLDER_TERMS_VOID)
#define VOID(c, v) (promiseTerm[v] != UNKNOWN && promiseTerm[v] <= certificate[c])
#elif defined(RELAXED_ALL_VOID)
#define VOID(c, v) true
#else
#define VOID(c, v) (promiseTerm[v] == certificate[c])
#endif

/* L5 */
inline countVote(c, v) {
  votes[c] = votes[c] | BIT(v);
  if
#ifdef MUTANT_NO_WAIT
  :: true
#endif
#ifdef MUTANT_OWN_PROMISE_IGNORED
  :: v == c
#endif
  :: else -> if :: certificate[c] != 0 && VOID(c, v) :: else -> wait[c] = MAX(wait[c], promise[v]) fi
  fi;
  if
#ifdef MUTANT_HALF_IS_ENOUGH
  :: true ->
#else
  :: QUORUM(votes[c]) ->
#endif
    printf("  %d leads term %d; it waits for %d\n", c, term[c], wait[c]);
    role[c] = LEADER; votes[c] = 0; certificate[c] = 0;
    append(c)
#ifdef RELAXED_CLAIM_WITH_NOOP
    ; if :: wait[c] == 0 && length[c] < ENTRIES -> appendClaim(c) :: else fi
#endif
  :: else
  fi
}

inline campaign(i, certified) {
  stepDown(i);
  term[i]++; votedFor[i] = i;
  forgetOld(i);
  role[i] = CANDIDATE; certificate[i] = certified;
  countVote(i, i);
  forgetHopeless()
}

/* L6: the claim is committed; a second look at the lease decides. */
inline hold(l) {
  if
  :: claiming[l] == APPENDED && commit[l] >= claim[l] ->
#ifdef MUTANT_NO_SECOND_LOOK
    lease = MAX(lease, 1);
#endif
    if
    :: lease > 0 && wait[l] == 0 ->
      claiming[l] = HELD;
      printf("  %d holds the lock with token %d\n", l, claim[l]);
#ifdef REACH_THIRD_TENURE
      assert(term[l] < 3 || lastToken < 4);
#endif
#ifdef REACH_SECOND_CLAIM_IN_TERM
      assert(TERM_AT(log[l], claim[l] - 2) != term[l]);
#endif
      assert(claim[l] > lastToken);
      lastToken = claim[l]
    :: else -> claiming[l] = NO_CLAIM; claim[l] = 0
    fi
  :: else
  fi
}

inline settle(l) {
#ifndef NO_LOG
  n = length[l];
  do
  :: n <= commit[l] || TERM_AT(log[l], n) != term[l] -> break
  :: else ->
    m = BIT(l);
    for (k : 0 .. N - 1) { if :: match[AT(l, k)] >= n -> m = m | BIT(k) :: else fi }
    if :: QUORUM(m) -> commit[l] = n; break :: else -> n-- fi
  od;
  forgetCommitted(l);
#endif
  reckon(l);
#ifndef NO_LOG
  hold(l);
#endif
  trust(l)
}

inline acknowledged(l, v, message) {
#ifdef MUTANT_ACK_TIME
  acked[AT(l, v)] = USABLE;
#else
  acked[AT(l, v)] = MAX(acked[AT(l, v)], SENT_LEFT(message));
#endif
  match[AT(l, v)] = MAX(match[AT(l, v)], SENT_ENTRIES(message));
  settle(l)
}

#ifdef MUTANT_RESUMES
#define KEEPS_REPLIES true
#else
#define KEEPS_REPLIES false
#endif

/* L2. A prefix of the leader's log stays; a conflict goes, with all behind it. */
inline accept(l, v, message) {
  adopt(v, term[l]);
  if :: role[v] == CANDIDATE -> stepDown(v) :: else fi;
  n = SENT_ENTRIES(message);
  if
  :: length[v] >= n && PREFIX(log[v], n) == PREFIX(log[l], n)
  :: else -> log[v] = PREFIX(log[l], n); length[v] = n
  fi;
  promise[v] = PROMISED; promiseTerm[v] = term[l];
  if :: !revoked[l] || KEEPS_REPLIES -> reply[AT(l, v)] = message :: else fi;
  forgetHopeless()
}

inline revoke(l) {
#ifndef MUTANT_RELEASED_TOO_EARLY
  if :: claiming[l] == HELD -> deadline[l] = 0 :: else fi;
#endif
  revoked[l] = 1; claiming[l] = NO_CLAIM; claim[l] = 0;
  if
  :: KEEPS_REPLIES
  :: else ->
    commit[l] = 0;
    for (k : 0 .. N - 1) { acked[AT(l, k)] = 0; match[AT(l, k)] = 0; reply[AT(l, k)] = 0 }
  fi
}

inline shorten(message, by) {
  if :: message != 0 -> message = PACK(SENT_ENTRIES(message), LESS(SENT_LEFT(message), by)) :: else fi
}

/* The clock of node i advances. A lease that is over takes its claim with it: every step of a leader looks first. */
inline pass(i, by) {
  promise[i] = LESS(promise[i], by);
  if :: promise[i] == 0 -> promiseTerm[i] = UNKNOWN :: else fi;
  wait[i] = LESS(wait[i], by);
  deadline[i] = LESS(deadline[i], by);
  for (x : 0 .. N - 1) {
    acked[AT(i, x)] = LESS(acked[AT(i, x)], by);
    shorten(sent[AT(i, x)], by);
    shorten(reply[AT(i, x)], by)
  }
  if
  :: role[i] == LEADER ->
    forgetCommitted(i);
    reckon(i);
    if
#if defined(MUTANT_NO_SECOND_LOOK) || defined(RELAXED_CLAIM_WITH_NOOP)
    :: lease == 0 && claiming[i] == HELD ->
#else
    :: lease == 0 ->
#endif
      claiming[i] = NO_CLAIM; claim[i] = 0
    :: else
    fi
  :: else
  fi
}

#ifdef MUTANT_STALE_LOG_WINS
#define COVERS(c, v) true
#else
#define COVERS(c, v) \
  (LAST_TERM(c) > LAST_TERM(v) || (LAST_TERM(c) == LAST_TERM(v) && length[c] >= length[v]))
#endif
#ifdef MUTANT_TWO_VOTES
#define MAY_VOTE(v) (role[v] == FOLLOWER)
#else
#define MAY_VOTE(v) (votedFor[v] == NOBODY)
#endif
#ifdef NO_LOG
#define HAS_ROOM true
#else
#define HAS_ROOM (length[i] + 2 <= ENTRIES)
#endif
#if defined(MUTANT_CERTIFICATE_OF_ANY_TERM) || defined(RELAXED_LATE_ORDER)
#define OBEYS (order[i] != 0)
#else
#define OBEYS (order[i] != 0 && order[i] / 2 == term[i] && role[i] == FOLLOWER)
#endif
#ifdef MUTANT_CERTIFICATE_OF_ANY_TERM
#define CERTIFICATE (x % 2 == 0 -> 0 : term[i])
#else
#define CERTIFICATE (x % 2 == 0 -> 0 : x / 2)
#endif
#ifdef MUTANT_CERTIFICATE_TOO_EARLY
#define CERTIFIED(l) 1
#else
#define CERTIFIED(l) (wait[l] == 0 -> 1 : 0)
#endif
#ifdef MUTANT_NO_SELF_PROMISE
#define PROMISE_TO_SELF skip
#else
#define PROMISE_TO_SELF promise[i] = PROMISED; promiseTerm[i] = term[i]
#endif
/* Fewer states: an append arrives in the step that sends it. The reply still travels, or is lost. */
#ifdef APPENDS_AT_ONCE
#define SEND(v) x = PACK(length[i], USABLE); accept(i, v, x)
#else
#define SEND(v) sent[AT(i, v)] = PACK(length[i], USABLE)
#endif

/* The steps of node i with node v. */
#define STEPS_WITH(v) \
  :: d_step { \
      i != v && role[v] == CANDIDATE && COVERS(v, i) && (votes[v] & BIT(i)) == 0 && \
      (term[i] < term[v] || (term[i] == term[v] && MAY_VOTE(i))) -> \
      printf("%d votes for %d in term %d; its promise, to term %d: %d\n", i, v, term[v], promiseTerm[i], promise[i]); \
      adopt(i, term[v]); votedFor[i] = v; countVote(v, i); forgetHopeless(); DONE } \
  :: d_step { \
      i != v && role[i] == LEADER && term[v] <= term[i] -> \
      printf("%d, leader of term %d, notes the time and sends %d entries to %d\n", i, term[i], length[i], v); \
      PROMISE_TO_SELF; SEND(v); DONE } \
  :: d_step { \
      i != v && sent[AT(v, i)] != 0 && term[i] <= term[v] -> \
      x = sent[AT(v, i)]; sent[AT(v, i)] = 0; \
      printf("%d accepts an append of term %d, with %d entries, and promises\n", i, term[v], SENT_ENTRIES(x)); \
      accept(v, i, x); DONE } \
  :: d_step { \
      i != v && reply[AT(i, v)] != 0 -> \
      x = reply[AT(i, v)]; reply[AT(i, v)] = 0; \
      printf("%d, leader of term %d, hears the reply of %d; its round is good for %d\n", i, term[i], v, SENT_LEFT(x)); \
      acknowledged(i, v, x); DONE } \
  :: d_step { \
      i != v && role[i] == LEADER && !revoked[i] -> \
      order[v] = 2 * term[i] + CERTIFIED(i); \
      printf("%d, leader of term %d, revokes; orders %d to campaign, certificate %d\n", i, term[i], v, order[v] % 2); \
      revoke(i); DONE }

proctype Node(byte i) {
  do
  STEPS_WITH(0) STEPS_WITH(1) STEPS_WITH(2)
  :: d_step {
      term[i] < TERMS && HAS_ROOM ->
      printf("%d campaigns in term %d; its own promise, to term %d: %d\n", i, term[i] + 1, promiseTerm[i], promise[i]);
      campaign(i, 0); DONE }
  :: d_step {
      OBEYS && term[i] < TERMS && HAS_ROOM ->
      x = order[i]; order[i] = 0;
      printf("%d, in term %d, obeys the order of term %d, certificate %d\n", i, term[i], x / 2, x % 2);
      y = CERTIFICATE;
      campaign(i, y); DONE }
  :: d_step {
#ifdef NO_LOG
      role[i] == LEADER && claiming[i] == NO_CLAIM && !revoked[i] && wait[i] == 0 ->
      reckon(i);
      if
      :: lease > 0 ->
        printf("%d, leader of term %d, claims and holds\n", i, term[i]);
        claiming[i] = HELD;
        trust(i)
#else
      role[i] == LEADER && claiming[i] == NO_CLAIM && !revoked[i] && wait[i] == 0 && commit[i] > 0 &&
      length[i] < ENTRIES ->
      reckon(i);
      if
      :: lease > 0 ->
        printf("%d, leader of term %d, appends a claim\n", i, term[i]);
        appendClaim(i);
#ifdef MUTANT_HOLDS_UNCOMMITTED
        commit[i] = length[i]; hold(i); trust(i)
#endif
#endif
      :: else
      fi;
      DONE }
#ifdef WITH_COMMANDS
  :: d_step {
      role[i] == LEADER && length[i] < ENTRIES ->
      printf("%d, leader of term %d, appends an entry of another kind\n", i, term[i]);
      append(i); DONE }
#endif
#ifdef MUTANT_RESUMES
  :: d_step { revoked[i] -> printf("%d takes its lease up again\n", i); revoked[i] = 0; DONE }
#endif
#if BOOTS > 0
  :: d_step {
      boots < BOOTS ->
      printf("%d restarts\n", i);
      boots++;
      stepDown(i);
      promise[i] = PROMISED; promiseTerm[i] = UNKNOWN;
#ifdef MUTANT_BOOT_FORGETS_PROMISE
      promise[i] = 0;
#endif
#ifdef MUTANT_BOOT_FORGETS_VOTE
      votedFor[i] = NOBODY;
#endif
      DONE }
#endif
  od
}

#define TICK(fast) \
  :: d_step { \
      printf("time passes; clocks advance by %d, %d, %d\n", 1 + (fast & 1), 1 + ((fast >> 1) & 1), 1 + (fast >> 2)); \
      pass(0, 1 + (fast & 1)); pass(1, 1 + ((fast >> 1) & 1)); pass(2, 1 + (fast >> 2)); DONE }

proctype Time() {
  do
  TICK(0) TICK(1) TICK(2) TICK(3) TICK(4) TICK(5) TICK(6) TICK(7)
  od
}

/* Without loss of generality the first leader is node 0, in term 1, by the vote of node 1. */
init {
  atomic {
    d_step {
      votedFor[0] = 0; votedFor[1] = 0; votedFor[2] = NOBODY;
      term[0] = 1; term[1] = 1;
      role[0] = LEADER;
      append(0)
    }
    run Node(0); run Node(1); run Node(2); run Time()
  }
}
