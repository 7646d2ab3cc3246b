// A receiver with durable state that reserves ahead, and is killed at any moment (DESIGN 6; docs/wire.md, section 8).
//
// What it models: one stream in one epoch. Before a number above the reservation is delivered, a new reservation is
// written. After an unclean stop the store knows only that nothing above the reservation was delivered: the stream is
// `loose`, and numbers in the reservation need evidence again. Evidence is a sent-at after the restart (the clock), or
// with CHALLENGE the answer to a nonce that was made after it. The stream is evicted for others (raising `since`), the
// store is wiped, the process stops cleanly or is killed.
//
// The attacker holds every message and every answer that was ever signed, and hands over any of them, at any time, as
// often as he likes. Answers to a nonce that is no longer pending are left out: challenge.pml shows that they are
// refused.
//
// Bounded: one stream, one epoch, numbers up to N, a reservation of AHEAD numbers, STOPS stops, EVICTIONS evictions,
// one wipe; by clock LAST_MOMENT ticks (skew 0, whole ticks), by challenge NONCES nonces. Strict order.

#ifdef LIVENESS
#define N 3
#else
#define N 4
#endif
#define AHEAD 2
#define STOPS 2
#define EVICTIONS 1
#define LAST_MOMENT 4
#define NONCES 3

#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define MAX(a, b) ((a) > (b) -> (a) : (b))

byte moment;                           // clocks agree here; stands still with CHALLENGE
byte made;                             // numbers signed: all of them are recorded
byte sentAt[N + 1];

bool held, loose;                      // the receiver's memory
byte last, heardAt, since, restartedAt;
bool asked;                            // a nonce is pending ...
byte answers;                          // ... and was answered with S for each bit S
bool unwritten;                        // delivered, and not yet in the store: only by a fault

bool storeHeld, storeLoose, storeClean; // the store
byte storeReserved, storeHeardAt, storeSince;

byte delivered;                        // for the promises: bit n
byte before;                           // signed before the memory began
byte stops, evictions, nonces;
bool wiped, fresh;

#ifdef CHALLENGE
#define EVIDENCE(n) false              // only an answer admits
#define SENT_AFTER_RESTART(n) false
#else
#define EVIDENCE(n) (sentAt[n] > since)
#define SENT_AFTER_RESTART(n) (sentAt[n] > restartedAt)
#endif

inline write(n) {
  storeHeld = true; storeReserved = n + AHEAD; storeHeardAt = moment;
  storeLoose = false; unwritten = false
}

inline deliver(n) {
  assert(!(delivered & (1 << n)));                              // at most once
  assert(n > before);                                           // nothing from before the memory
  assert(delivered < (1 << n));                                 // in order
  delivered = delivered | (1 << n);
  held = true; loose = false; last = n; heardAt = moment
}

inline arrive(n) {
  if
  :: !held -> fresh = EVIDENCE(n)
#ifdef FAULT_RESERVATION_TRUSTED       // what lies in the reservation is taken for not yet delivered
  :: held && loose -> fresh = true
#else
  :: held && loose -> fresh = n > last || SENT_AFTER_RESTART(n)
#endif
  :: held && !loose -> fresh = n > last
  fi;
  if
  :: fresh && storeHeld && n <= storeReserved -> deliver(n)
#ifdef FAULT_DELIVERED_BEFORE_WRITTEN
  :: fresh && !(storeHeld && n <= storeReserved) -> deliver(n); unwritten = true
#else
  :: fresh && !(storeHeld && n <= storeReserved) -> write(n)    // delivered when it comes again: a kill may be first
#endif
  :: !fresh
  fi;
  fresh = false
}

// An answer to the pending nonce: only what is above S was signed after it.
inline answered(s) {
  asked = false; answers = 0;
  if
  :: !held -> write(s); held = true; loose = false; last = s; heardAt = moment
  :: held && loose -> loose = false; last = MIN(s, last)
  :: held && !loose ->
#ifdef FAULT_ANSWER_LOWERS
     last = s
#else
     skip                                                       // what is remembered is never lowered
#endif
  fi
}

inline start() {
  held = storeHeld; last = storeReserved; since = storeSince; restartedAt = moment;
  loose = storeHeld && (!storeClean || storeLoose);
#ifdef FAULT_HEARD_AT_FROM_STORE       // the store does not know how long after its last write the stream was heard
  heardAt = storeHeardAt;
#else
  heardAt = (storeClean -> storeHeardAt : moment);
#endif
#ifndef FAULT_CLEAN_MARK_KEPT
  storeClean = false;
#endif
  if :: loose -> storeLoose = true :: else fi
}

#ifdef LIVENESS                        // trouble ends before the last message is signed
#define TROUBLE (made < N && moment < LAST_MOMENT)
#define MAY_ASK (!held || loose)
#else
#define TROUBLE true
#define MAY_ASK (nonces < NONCES)       // at any moment: also of a stream that it knows
#endif

#ifdef CHALLENGE
#define READY_FOR_LAST (held && !loose)
#else
#define READY_FOR_LAST (moment == LAST_MOMENT)
#endif

active proctype Sender() {
end:
  do
#ifndef CHALLENGE
  :: d_step { moment < LAST_MOMENT -> moment++ }
#endif
#ifdef LIVENESS
  :: d_step { made < N && (made < N - 1 || READY_FOR_LAST) -> made++; sentAt[made] = moment }
#else
  :: d_step { made < N -> made++; sentAt[made] = moment }
#endif
#ifdef CHALLENGE
  :: d_step { asked && !(answers & (1 << made)) -> answers = answers | (1 << made) }
#endif
  od
}

active proctype Receiver() {
end:
  do
  :: d_step { unwritten -> write(last) }
  :: d_step { TROUBLE && stops < STOPS -> stops++;              // killed, and started again
       asked = false; answers = 0; unwritten = false; start() }
  :: d_step { TROUBLE && stops < STOPS && !unwritten -> stops++; // stopped cleanly, and started again
       asked = false; answers = 0;
#ifdef FAULT_CLEAN_STOP_FORGETS_LOOSE  // the end of a reservation is written as if it had been delivered
       storeLoose = false;
#else
       storeLoose = loose;
#endif
       storeClean = true; storeHeld = held; storeReserved = last; storeHeardAt = heardAt; start() }
  :: d_step { TROUBLE && !wiped -> wiped = true;                // the store is lost while the process is down
       storeHeld = false; storeLoose = false; storeReserved = 0; storeHeardAt = 0; storeClean = false;
#ifdef FAULT_WIPED_STORE_IS_OLD
       storeSince = 0;
#else
       storeSince = moment;
#endif
       asked = false; answers = 0; unwritten = false; before = made; start() }
  :: d_step { TROUBLE && held && evictions < EVICTIONS && !unwritten -> evictions++;
#ifndef FAULT_NONCE_SURVIVES_EVICTION
       asked = false; answers = 0;
#endif
       since = MAX(since, heardAt);
#ifndef FAULT_SINCE_NOT_STORED
       storeSince = since;
#endif
       held = false; loose = false; last = 0; storeHeld = false; storeLoose = false; storeReserved = 0 }
#ifdef CHALLENGE
  :: d_step { !asked && MAY_ASK -> asked = true; nonces = MIN(nonces + 1, NONCES) }
  :: d_step { asked && TROUBLE && nonces < NONCES -> asked = false; answers = 0 }     // it expires
#endif
  od
}

#define HAND_OVER(n) :: d_step { made >= n -> arrive(n) }
#define ANSWER(s) :: d_step { asked && (answers & (1 << s)) -> answered(s) }

active proctype Attacker() {
end:
  do
  HAND_OVER(1) HAND_OVER(2) HAND_OVER(3) HAND_OVER(4)
#ifdef CHALLENGE
  ANSWER(0) ANSWER(1) ANSWER(2) ANSWER(3) ANSWER(4)
#endif
  od
}

#ifdef LIVENESS
// A fair channel: it hands over the last message and the latest answer again and again.
active proctype Channel() {
end:
  do
  HAND_OVER(N)
  od
}
#ifdef CHALLENGE
active proctype AnswerChannel() {
end:
  do
  :: d_step { asked && (answers & (1 << made)) -> answered(made) }
  od
}
#endif

ltl delivered_in_the_end { <> (delivered & (1 << N)) }
#endif
