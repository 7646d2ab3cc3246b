// How a sender picks its epoch when its clock goes back, and learns of higher ones at its hello (DESIGN 6).
//
// What it models: a sender that starts several times and picks its epoch by a clock that may go back: alone, or with
// STORE as max(stored + 1, clock). Its hello is answered with the highest epoch that the receiver remembers; not yet
// admitted, it begins a new epoch above that. It signs data when a hello in its epoch was answered; its echo may be
// lost. The receiver keeps (epoch, last number), and begins at what the answer to its nonce says, or loses all in a
// crash.
//
// The attacker holds every message that was ever signed, and hands over any of them, at any time, as often as he
// likes. A nonce and its answer are one step here; challenge.pml takes them apart.
//
// Bounded: RUNS runs, N numbers a run, CLOCKS clock values, CRASHES crashes of the receiver. Without STORE the clock
// never shows again what it once showed at a start (microseconds), and a new epoch "above known" is one that was never
// used: the sender adds a random number of microseconds. The model takes the lowest unused one.

#define RUNS 3
#define N 2
#define CLOCKS 4
#define CRASHES 1
#define HIGHEST 7                      // epoch; only a fault gets there

byte current;                          // the sender's run; 0 before its first
byte epochOf[RUNS + 1], made[RUNS + 1]; // of each run: its messages are recorded
byte used;                             // bit e: an epoch that a run has had
byte stored;
bool admitted;
bool answered;                         // it has answered a nonce in this epoch

bool known;                            // the receiver's memory
byte epoch, last;

byte begunBy;                          // for the promises: the run that began the remembered epoch
byte delivered[RUNS + 1];
byte topRun;
byte crashes, pick;                    // pick is scratch

#define OWN epochOf[current]
#define IS_USED(e) (used & (1 << (e)))

inline take(e) { OWN = e; used = used | (1 << (e)); admitted = false; answered = false }

inline startAt(clock) {
  current++;
#ifdef STORE
  pick = (stored + 1 > clock -> stored + 1 : clock);
#ifndef FAULT_STORED_LATE              // written before anything is signed
  stored = pick;
#endif
#else
  pick = clock;
#endif
  take(pick); pick = 0
}

#ifdef FAULT_RAISED_ABOVE_ITSELF       // what the receiver knows may be this run, whose answer overtook its hello
#define HIGHER_KNOWN (known && epoch >= OWN)
#else
#define HIGHER_KNOWN (known && (epoch > OWN || epoch == OWN && !answered))
#endif

inline hello() {
  if
  :: HIGHER_KNOWN ->
#ifdef FAULT_STAYS_BELOW               // keeps the epoch that its clock gave it
     admitted = true
#else
     pick = epoch + 1;
#ifndef FAULT_KNOWN_PLUS_ONE           // an earlier run may have had that one, and died before the receiver knew
     do :: pick < HIGHEST && IS_USED(pick) -> pick++ :: else -> break od;
#endif
     pick = (pick > HIGHEST -> HIGHEST : pick);
     take(pick); pick = 0
#endif
  :: else -> admitted = true
  fi
}

// The receiver's nonce, and the answer to it.
inline challenge() {
  answered = true;
  if
  :: !known || OWN > epoch -> known = true; epoch = OWN; last = made[current]; begunBy = current
  :: else
  fi
}

inline arrive(r, n) {
  if
  :: known && epochOf[r] == epoch && n > last ->
     assert(r == begunBy);                                      // no run passes for another
     assert(!(delivered[r] & (1 << n)));                        // at most once
     assert(r >= topRun && delivered[r] < (1 << n));            // in order, across all crashes
     delivered[r] = delivered[r] | (1 << n); topRun = r; last = n
  :: else
  fi
}

#ifdef LIVENESS                        // the last message is signed when trouble is over and it is known
#define TROUBLE (made[RUNS] < N)
#define MAY_SIGN (made[current] < N - 1 || made[current] < N && (current < RUNS || known && begunBy == current))
#else
#define TROUBLE true
#define MAY_SIGN (made[current] < N)
#endif

#ifdef STORE
#define CLOCK_SHOWS(c) (c <= CLOCKS)
#else
#define CLOCK_SHOWS(c) (!IS_USED(c))
#endif
#define START(c) :: d_step { current < RUNS && CLOCK_SHOWS(c) -> startAt(c) }

active proctype Sender() {
end:
  do
  START(1) START(2) START(3) START(4)
  :: d_step { current > 0 && !admitted -> hello() }
  :: d_step { current > 0 && admitted && MAY_SIGN -> made[current]++ }
#ifdef FAULT_STORED_LATE
  :: d_step { current > 0 && stored < OWN -> stored = OWN }
#endif
  od
}

active proctype Receiver() {
end:
  do
  :: d_step { current > 0 && !(known && OWN <= epoch) -> challenge() }
  :: d_step { TROUBLE && crashes < CRASHES ->
       crashes++; known = false; epoch = 0; last = 0; begunBy = 0 }
  od
}

#define HAND_OVER(r, n) :: d_step { made[r] >= n -> arrive(r, n) }

active proctype Attacker() {
end:
  do
  HAND_OVER(1, 1) HAND_OVER(1, 2) HAND_OVER(2, 1) HAND_OVER(2, 2) HAND_OVER(3, 1) HAND_OVER(3, 2)
  od
}

#ifdef LIVENESS
// A fair channel: it hands over the last message again and again.
active proctype Channel() {
end:
  do
  HAND_OVER(RUNS, N)
  od
}

ltl delivered_in_the_end { <> (delivered[RUNS] & (1 << N)) }
#endif
