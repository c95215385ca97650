/* Hashes by a thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "aero/base/alloc.h"
#include "aero/drive/hash.h"
#include "internal.h"

enum {
    LOOK_MS = 2 /* how often it is looked at where no descriptor is watched */
};

/* Held by the job and by the thread; the last lets go. */
typedef struct work {
    pthread_mutex_t lock;
    int refs;       /* lock */
    bool done;      /* lock */
    aero_rc rc;     /* lock */
    aero_status st; /* lock */
    int pipe[2];    /* owned */
    char password[AERO_PASSWORD_MAX];
    char hash[AERO_HASH_SIZE + 1]; /* lock */
} work;

static void
let_go(work *w)
{
    bool last;

    pthread_mutex_lock(&w->lock);
    last = --w->refs == 0;
    pthread_mutex_unlock(&w->lock);
    if (last) {
        close(w->pipe[0]);
        close(w->pipe[1]);
        pthread_mutex_destroy(&w->lock);
        OPENSSL_cleanse(w, sizeof *w);
        aero_free(w);
    }
}

static void *
run(void *arg)
{
    work *w = arg;
    char hash[AERO_HASH_SIZE + 1] = "";
    aero_status st;
    aero_rc rc;
    ssize_t n;

    aero_status_clear(&st);
    rc = aero_auth_hash(w->password, hash, &st);
    pthread_mutex_lock(&w->lock);
    memcpy(w->hash, hash, sizeof hash);
    w->rc = rc;
    w->st = st;
    w->done = true;
    pthread_mutex_unlock(&w->lock);
    n = write(w->pipe[1], "", 1);
    (void)n; /* the pipe is empty and takes one byte */
    OPENSSL_cleanse(hash, sizeof hash);
    let_go(w);
    return NULL;
}

static bool
launch(work *w)
{
    pthread_attr_t attr;
    pthread_t thread;
    bool fine;

    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    fine = pthread_create(&thread, &attr, run, w) == 0;
    pthread_attr_destroy(&attr);
    return fine;
}

static aero_rc
step(aero_job *job)
{
    aero_hash_job *hash = (aero_hash_job *)job;
    work *w = hash->handle;
    aero_rc rc = AERO_MORE;

    pthread_mutex_lock(&w->lock);
    if (w->done) {
        rc = w->rc;
        hash->st = w->st;
        memcpy(hash->hash, w->hash, sizeof hash->hash);
    }
    pthread_mutex_unlock(&w->lock);
    job->by = aero_clock_after(aero_clock_now(), LOOK_MS);
    return rc;
}

aero_rc
aero_hash_begin(aero_hash_job *hash, const char *password, aero_status *st)
{
    work *w = aero_zalloc(sizeof *w);
    size_t len = strlen(password);

    memset(hash, 0, sizeof *hash);
    aero_status_clear(&hash->st);
    if (w == NULL || !aero_pipe(w->pipe)) {
        aero_free(w);
        return aero_fail(st, AERO_ERR_CLIENT, "no memory for a password");
    }
    pthread_mutex_init(&w->lock, NULL);
    memcpy(w->password, password,
           len < AERO_PASSWORD_MAX ? len : AERO_PASSWORD_MAX - 1);
    w->refs = 2;
    hash->handle = w;
    hash->job.step = step;
    hash->job.fd = w->pipe[0];
    hash->job.want = AERO_WANT_READ;
    hash->job.by = aero_clock_after(aero_clock_now(), LOOK_MS);
    if (!launch(w)) {
        w->refs = 1;
        aero_hash_fini(hash);
        return aero_fail(st, AERO_ERR_CLIENT, "cannot start a thread");
    }
    return AERO_OK;
}

void
aero_hash_fini(aero_hash_job *hash)
{
    if (hash->handle != NULL) {
        let_go(hash->handle);
        hash->handle = NULL;
    }
    OPENSSL_cleanse(hash->hash, sizeof hash->hash);
}
