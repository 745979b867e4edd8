"""fixtures every test can ask for. everything is real; nothing is started before a test wants it.

postgres (`fixtures/postgres.py`): one server for the whole run, a migrated template, a clone for each xdist worker
    database_url     url of this worker's database, emptied before each test that asks for it (a few ms)
    engine           an async SQLAlchemy engine on it, for tests whose code commits
    db_session       an AsyncSession whose work, commits included, is rolled back at the end

network (`fixtures/network.py`): PLC directory and reference PDS, one for the whole run
    network          addresses; network.records(did, collection); network.new_account()
    new_account      `account = new_account()`: a fresh person (handle, did, password, access_token) for this test
    start_network    `start_network(token_max_age_ms=4000)`: a network of one's own, 2 s each, stopped after the test
    faulty_network   a second network, its PDS behind `faults`; shared by the tests of one worker
    faults           the proxy: `faults.on("com.atproto.repo.putRecord", drop_answer())`, see devstack/faults.py

the product's processes (`fixtures/services.py`)
    backend_env      the settings of the backend as environment variables: database_url, network, a storage folder
    start_api        `api = start_api(backend_env)`: a real `python -m plyr api`; api.url, .kill(), .stop(), .output()
    start_ingest     the same for `python -m plyr ingest`, answering; it may stand by or lead
    start_worker     the same for `python -m plyr worker`, after it said that it is ready
    to sign in: `await devstack.sign_in.sign_in(httpx_client, account.handle)`; the PDS's pages alone: devstack.approve

files (`fixtures/media.py`): made once for the whole run
    audio_file       `audio_file("flac", seconds=2)` → Path; flac mp3 m4a wav aiff opus; another `seed` sounds different
    image_file       `image_file("png", 640, 480)` → Path

the product from within (`fixtures/domain.py`)
    db, settings     the product’s Database on database_url, and Settings for this test

storage (`fixtures/storage.py`)
    store            an empty BlobStore; a test that asks for it runs over a folder and over S3 (a real server)
    storage_url      its STORAGE_URL

uploads (`fixtures/uploads.py`)
    studio           an artist at the whole api in this process: studio.client, .upload(…), .work(…), .status(…)
    open_studio      more of them, with settings of their own

the outbox (`fixtures/delivering.py`)
    writer           somebody signed in whose writes a test delivers step by step: writer.like(…), .claim(), .send()
    new_writer       `await new_writer(faulty_network)`: one on another network

run one file: ./just backend test tests/tracks/test_service.py   (or .venv/bin/pytest from backend/)
"""

pytest_plugins = (
    "tests.fixtures.shared",
    "tests.fixtures.postgres",
    "tests.fixtures.network",
    "tests.fixtures.services",
    "tests.fixtures.media",
    "tests.fixtures.domain",
    "tests.fixtures.storage",
    "tests.fixtures.uploads",
    "tests.fixtures.auth",
    "tests.fixtures.artist",
    "tests.fixtures.delivering",
)
