// Hello, challenge and echo between two ends that both send, both receive and both crash (DESIGN 6).
//
// What it models: each end has an epoch (its run), numbers, one pending nonce and a memory of the other's stream. It
// asks with its nonce in a hello, challenge or echo; the other answers in a challenge or echo with its epoch and S, the
// number that it has reached. An answer to the pending nonce begins the stream at (epoch, S), and tells the end that
// somebody is there, so that it may sign data. Data of a stream or epoch that is not known is refused, and asked
// about. End 1 may come up long after end 0. A memory forgets (eviction) and is lost in a crash.
//
// The attacker holds everything that was ever signed, data and control, and hands over any of it, at any time, as
// often as he likes. He is stronger here than in life: he may hand over the ask and the answer of one control message
// apart. An answer to a nonce that is no longer pending is taken to be in his hands for every epoch and S that its
// signer ever was in (from nonces before this model begins).
//
// Bounded: two ends, RUNS runs each, N numbers a run, NONCES nonces an end, FORGETS evictions an end. For safety an
// end asks at any moment, also when it knows the stream already; for liveness as the protocol says, and the channel
// loses asks and their answers: crashes, evictions and losses are TROUBLES together.

#define RUNS 2
#define N 2
#ifdef ONE_WAY                         // only end 0 sends data: room for one more nonce
#define NONCES 3
#else
#define NONCES 2
#endif
#define FORGETS 1
#define TROUBLES 2                     // for liveness: crashes, evictions and losses of both ends together

#define PEER(x) (1 - (x))
#define AT(x, r) (2 * (x) + (r) - 1)    // of end x in run r
#define BIT(r, n) (1 << (3 * ((r) - 1) + (n)))
#define MADE(x) made[AT(x, run_[x])]

bool up[2];
byte run_[2];                          // current run; its epoch
byte made[4];                          // numbers signed by an end in a run: all of them are recorded
bool admitted[2];                      // a nonce of this run was answered

bool known[2];                         // an end's memory of the other's stream
byte epoch[2], last[2];
bool asked[2];                         // its nonce is pending ...
bool onWire[2];                        // ... is on its way ...
byte answers[2];                       // ... and was answered by (run, S) for each bit

byte delivered[2];                     // for the promises: what an end delivered
byte before[4];                        // what the other end had signed in a run when this end's memory began
bool met[2];                           // the other end was there in this run
byte nonces[2], forgets[2];

#ifdef FAULT_S_READ_EARLY              // S is from the last answer, not from after the nonce was seen
byte early[2];
#endif

inline ask(x) { asked[x] = true; onWire[x] = true; answers[x] = 0 }
inline dropNonce(x) { asked[x] = false; onWire[x] = false; answers[x] = 0 }

#define UNKNOWN(x, r) (!known[x] || (r) > epoch[x])

inline deliver(x, r, n) {
  assert(!(delivered[x] & BIT(r, n)));                          // at most once
  assert(delivered[x] < BIT(r, n));                             // in order, across all crashes
  assert(n > before[AT(PEER(x), r)]);                           // nothing from before the memory
  delivered[x] = delivered[x] | BIT(r, n);
  last[x] = n
}

// Data (r, n) of the other end comes to x.
inline data(x, r, n) {
  if
  :: up[x] && known[x] && r == epoch[x] && n > last[x] -> deliver(x, r, n)
#ifdef FAULT_DATA_BEGINS               // the first message that comes begins an unknown stream
  :: up[x] && UNKNOWN(x, r) -> known[x] = true; epoch[x] = r; deliver(x, r, n)
#else
  :: up[x] && UNKNOWN(x, r) ->
#ifdef LIVENESS
#ifdef FAULT_NONCE_REPLACED            // each refusal makes a new nonce in place of the pending one
     ask(x)
#else
     if :: !asked[x] -> ask(x) :: else fi
#endif
#else
     skip                                                       // asks at any moment anyway
#endif
#endif
  :: else
  fi
}

// The ask of x comes to the other end, which answers with its epoch and S.
inline question(x) {
  if
  :: up[PEER(x)] ->
#ifdef FAULT_S_READ_EARLY
     answers[x] = answers[x] | BIT(run_[PEER(x)], early[PEER(x)]); early[PEER(x)] = MADE(PEER(x));
#else
     answers[x] = answers[x] | BIT(run_[PEER(x)], MADE(PEER(x)));
#endif
#ifdef LIVENESS                        // the answer asks back where the asker is not known
     if :: UNKNOWN(PEER(x), run_[x]) && !asked[PEER(x)] -> ask(PEER(x)) :: else fi
#endif
  :: else
  fi
}

inline begin(x, r, s) {
  if
  :: UNKNOWN(x, r) -> known[x] = true; epoch[x] = r; last[x] = s
#ifdef FAULT_ANSWER_LOWERS
  :: known[x] && r == epoch[x] -> last[x] = s
#endif
  :: else                                                       // nothing changes
  fi
}

// An answer to the pending nonce of x comes to it.
inline answer(x, r, s) {
#ifndef FAULT_NONCE_NOT_SINGLE_USE
  dropNonce(x);
#endif
  admitted[x] = true;
  begin(x, r, s)
}

inline start(x) {
  up[x] = true; admitted[x] = false; known[x] = false; epoch[x] = 0; last[x] = 0;
  before[AT(PEER(x), 1)] = made[AT(PEER(x), 1)]; before[AT(PEER(x), 2)] = made[AT(PEER(x), 2)];
  met[x] = up[PEER(x)]; met[PEER(x)] = true;
#ifdef FAULT_S_READ_EARLY
  early[x] = 0;
#endif
#ifndef FAULT_NONCE_SURVIVES_CRASH     // a nonce that can come again, such as a counter
  dropNonce(x);
#endif
#ifdef LIVENESS
  ask(x);                                                       // the hello
#endif
}

#ifdef LIVENESS                        // the last message of each end is signed when trouble is over and it is known
bool calm;
byte troubles;
#define TROUBLE (!calm && troubles < TROUBLES)
#define COUNT_TROUBLE troubles++
#define KNOWN_BY_PEER(x) (known[PEER(x)] && epoch[PEER(x)] == run_[x])
#define MAY_SIGN(x) (MADE(x) < N - 1 || MADE(x) < N && calm && KNOWN_BY_PEER(x))
#else
#define TROUBLE true
#define COUNT_TROUBLE skip
#ifdef ONE_WAY
#define MAY_SIGN(x) (MADE(x) < N && x == 0)
#else
#define MAY_SIGN(x) (MADE(x) < N)
#endif
#endif

#ifdef FAULT_SIGNS_UNADMITTED
#define ADMITTED(x) true
#else
#define ADMITTED(x) admitted[x]
#endif

active [2] proctype End() {
  byte x = _pid;                       // 0 or 1
end:
  do
  :: d_step { !up[x] -> run_[x] = 1; start(x) }
  :: d_step { up[x] && run_[x] < RUNS && TROUBLE -> COUNT_TROUBLE; run_[x]++; start(x) }   // a crash and a new start
  :: d_step { up[x] && ADMITTED(x) && MAY_SIGN(x) ->
       assert(met[x]);                                          // somebody was there to check it
       MADE(x)++ }
  :: d_step { known[x] && forgets[x] < FORGETS && TROUBLE ->
       COUNT_TROUBLE; forgets[x]++; known[x] = false; epoch[x] = 0; last[x] = 0;
#ifndef FAULT_NONCE_SURVIVES_EVICTION
#ifndef FAULT_NONCE_NOT_SINGLE_USE
       dropNonce(x)
#endif
#endif
     }
#ifdef LIVENESS
#ifndef FAULT_NO_RETRY
  :: d_step { up[x] && asked[x] && !onWire[x] -> onWire[x] = true }
#endif
#else
  :: d_step { up[x] && nonces[x] < NONCES -> nonces[x]++; ask(x) }              // also in place of one that expired
#endif
  od
}

#define DATA(x, r, n) :: d_step { made[AT(PEER(x), r)] >= n -> data(x, r, n) }
#define ANSWER(x, r, s) :: d_step { asked[x] && (answers[x] & BIT(r, s)) -> answer(x, r, s) }
#define OLD_ANSWER(x, r, s) :: d_step { up[x] && run_[PEER(x)] >= r && made[AT(PEER(x), r)] >= s -> begin(x, r, s) }

#ifdef FAULT_ANSWER_NOT_CHECKED        // any answer will do, not only one to the pending nonce
#define OLD_ANSWERS(x) OLD_ANSWER(x, 1, 0) OLD_ANSWER(x, 1, 1) OLD_ANSWER(x, 2, 0) OLD_ANSWER(x, 2, 1)
#else
#define OLD_ANSWERS(x)
#endif

#ifdef LIVENESS
#define LOSS(x) :: d_step { onWire[x] && TROUBLE -> COUNT_TROUBLE; onWire[x] = false; answers[x] = 0 }
#else
#define LOSS(x)
#endif

#define ATTACKS_ON(x) \
  DATA(x, 1, 1) DATA(x, 1, 2) DATA(x, 2, 1) DATA(x, 2, 2) \
  :: d_step { asked[x] -> question(x) } \
  ANSWER(x, 1, 0) ANSWER(x, 1, 1) ANSWER(x, 1, 2) \
  ANSWER(x, 2, 0) ANSWER(x, 2, 1) ANSWER(x, 2, 2) \
  OLD_ANSWERS(x) LOSS(x)

active proctype Attacker() {
end:
  do
  ATTACKS_ON(0)
  ATTACKS_ON(1)
  od
}

#ifdef LIVENESS
active proctype Trouble() {
  calm = true                          // at some moment it is over
}

// A fair channel: it carries again and again what is on its way to x and from x.
#define CURRENT_ANSWER(x) BIT(run_[PEER(x)], MADE(PEER(x)))
#define CARRY(x) \
  d_step { if :: onWire[x] -> question(x) :: else fi }; \
  d_step { if :: asked[x] && up[PEER(x)] && (answers[x] & CURRENT_ANSWER(x)) -> \
                 answer(x, run_[PEER(x)], MADE(PEER(x))) :: else fi }; \
  d_step { if :: up[PEER(x)] && MADE(PEER(x)) > 0 -> data(x, run_[PEER(x)], MADE(PEER(x))) :: else fi }

active proctype Channel() {
end:
  do
  :: CARRY(0); CARRY(1)
  od
}

#define LAST_DELIVERED(x) (delivered[x] & (BIT(1, N) | BIT(2, N)))
ltl delivered_in_the_end { <> (LAST_DELIVERED(0) && LAST_DELIVERED(1)) }
#endif
